"""What the clip check makes of servers that treat clips wrongly."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fmau.core.errors import ServerError
from fmau.recipe import FramesBlock
from fmau.serve import check_clips

SQUARE = 96
FRAMES = FramesBlock(min_pixels_per_frame=SQUARE**2, max_pixels_per_frame=SQUARE**2)
TIMES = ("0.4", "2.0", "3.6", "5.2")


def prompt(times: tuple[str, ...] = TIMES, cells: int = 9) -> str:
    return "".join(f"<{time} seconds>{'<|video_pad|>' * cells}" for time in times)


@contextmanager
def server_that_sees(text: str, status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    asked: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            replies = {
                "/v1/chat/completions": {"prompt_token_ids": [5, 6]},
                "/detokenize": {"prompt": text},
            }
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(replies[self.path]).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_that_does_right() -> None:
    with server_that_sees(prompt()) as (url, asked):
        check_clips(url, "m", FRAMES)
    largest, ids = asked[:2]
    assert ids == {"model": "m", "tokens": [5, 6]}
    video = largest["media_io_kwargs"]["video"]
    assert video["frames_indices"] == [0, 8, 16, 24, 32, 40, 48, 56]
    assert video["do_sample_frames"] is False
    assert video["num_frames"] == FRAMES.count
    pairs = zip(video["frames_indices"][::2], video["frames_indices"][1::2], strict=True)
    assert tuple(f"{(a + b) / 2 / video['fps']:.1f}" for a, b in pairs) == TIMES


@pytest.mark.parametrize("times", [("0.5", "2.5", "4.5", "6.5"), ()])
def test_a_server_with_its_own_frame_times(times: tuple[str, ...]) -> None:
    with (
        server_that_sees(prompt(times)) as (url, _),
        pytest.raises(ServerError, match=r"sent 0\.4, 2\.0, 3\.6, 5\.2 s, the model sees"),
    ):
        check_clips(url, "m", FRAMES)


def test_a_server_that_resizes() -> None:
    with (
        server_that_sees(prompt(cells=4)) as (url, _),
        pytest.raises(ServerError, match=r"8 of 96x96 pixels give 16 tokens instead of 36"),
    ):
        check_clips(url, "m", FRAMES)


def test_images_have_sizes_and_no_times() -> None:
    for cells, right in ((9, True), (4, False)):
        text = "<|vision_start|>" + "<|image_pad|>" * cells * FRAMES.count
        with server_that_sees(text) as (url, asked):
            if right:
                check_clips(url, "m", FRAMES, as_images=True)
            else:
                with pytest.raises(ServerError, match=r"96x96 pixels give 32 tokens instead of 72"):
                    check_clips(url, "m", FRAMES, as_images=True)
        parts = asked[0]["messages"][0]["content"]
        assert [part["type"] for part in parts] == ["image_url"] * FRAMES.count
        assert "media_io_kwargs" not in asked[0]


def test_a_server_that_refuses() -> None:
    with (
        server_that_sees(prompt(), status=400) as (url, _),
        pytest.raises(ServerError, match=r"HTTP 400.*fmau serve"),
    ):
        check_clips(url, "m", FRAMES)


def test_a_server_that_is_gone() -> None:
    with server_that_sees(prompt()) as (url, _):
        pass
    with pytest.raises(ServerError, match="no reply"):
        check_clips(url, "m", FRAMES)
