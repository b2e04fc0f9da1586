"""The real vLLM with the tiny checkpoint: started once, used, and gone without a trace."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
from PIL import Image

from fmau.core.errors import ServerError
from fmau.recipe import FramesBlock
from fmau.serve import Server, check_clips, start_server
from fmau.serve.client import ServedModel, base_model, is_alive
from fmau.serve.preflight import check_address
from tests.serve.support import CHECKPOINT, free_port, recipe

pytestmark = [pytest.mark.server, pytest.mark.slow]

FRAMES: dict[str, Any] = {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 24576}
SERVE = {"max_model_len": 2048, "max_num_seqs": 8, "cpu_kv_cache_gib": 1}
META = {
    "fps": 30.0,
    "frames_indices": [0, 9, 19, 29, 38, 48, 58, 67],
    "total_num_frames": 68,
    "duration": 68 / 30,
    "do_sample_frames": False,
}
# More than one KV block of 32 tokens between the video and the question.
COMMON = "Watch the person closely; left and right are the person's own. " * 8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    wanted = recipe(frames=FRAMES, serve={**SERVE, "port": free_port()})
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with start_server(wanted, log_path=log) as started:
        started.wait_ready()
        processes = started._descendants()
        yield started
    assert not any(process.is_running() for process in processes), "a process of vLLM is left"
    check_address(started.serve, None)


def ask(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    whole = {"model": str(CHECKPOINT), "max_tokens": 4, "temperature": 0, **body}
    request = Request(
        f"{server.base_url}/v1/chat/completions",
        json.dumps(whole).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=120) as reply:
        return dict(json.load(reply))


def jpeg(shade: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (160, 128), (shade, shade, shade)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def about_clip(question: str, *, send: bool, **body: Any) -> dict[str, Any]:
    frames = ",".join(jpeg(30 * shade) for shade in range(8))
    url = {"url": f"data:video/jpeg;base64,{frames}"} if send else None
    clip = {"type": "video_url", "video_url": url, "uuid": "clip-1"}
    text = {"type": "text", "text": COMMON + question}
    return {
        "messages": [{"role": "user", "content": [clip, text]}],
        "media_io_kwargs": {"video": META},
        **body,
    }


def test_it_is_recognised(server: Server) -> None:
    assert server.alive()
    assert is_alive(server.base_url)
    path = str(CHECKPOINT)
    assert base_model(server.base_url) == ServedModel(path, path, None)


def test_a_text_request(server: Server) -> None:
    reply = ask(server, {"messages": [{"role": "user", "content": "Hello"}]})
    assert reply["usage"]["completion_tokens"] >= 1


def test_the_second_question_sends_no_clip_and_recomputes_no_clip(server: Server) -> None:
    options = {"structured_outputs": {"choice": ["Yes", "No"]}, "max_tokens": 8}
    first = ask(server, about_clip("Does the head move?", send=True, **options))
    encoded = encoder_runs(server)
    assert encoded > 0, "the log does not count runs of the vision tower any more"
    second = ask(server, about_clip("Does a hand move?", send=False, **options))
    for reply in (first, second):
        assert reply["choices"][0]["message"]["content"] in ("Yes", "No")
    cached = second["usage"]["prompt_tokens_details"]["cached_tokens"]
    # 4 pairs of 4 x 5 cells, and the blocks are whole.
    assert cached >= 80
    assert cached % 32 == 0
    assert encoder_runs(server) == encoded


def encoder_runs(server: Server) -> int:
    lines = server.log_path.read_text("utf-8").splitlines()
    return sum(int(line.split("encoder inputs: ")[1].split(",")[0])
               for line in lines if "encoder inputs: " in line)  # fmt: skip


def test_frame_times_and_sizes_arrive_as_sent(server: Server) -> None:
    check_clips(server.base_url, str(CHECKPOINT), FramesBlock(**FRAMES))


def test_a_recipe_with_larger_frames_does_not_fit_this_server(server: Server) -> None:
    larger = FramesBlock(min_pixels_per_frame=4096, max_pixels_per_frame=256 * 256)
    with pytest.raises(ServerError, match=r"resizes frames: 8 of 256x256 pixels"):
        check_clips(server.base_url, str(CHECKPOINT), larger)


def test_images_are_refused(server: Server) -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{jpeg(9)}"}}
    with pytest.raises(HTTPError, match="400"):
        ask(server, {"messages": [{"role": "user", "content": [image]}]})


def test_stopping_while_it_starts_is_quick_and_complete(server: Server, tmp_path: Path) -> None:
    port = free_port(server.serve.port + 1)
    second = start_server(
        recipe(frames=FRAMES, serve={**SERVE, "port": port}), log_path=tmp_path / "server.log"
    )
    started = threading.Event()

    def show(line: str) -> None:
        if len(second._descendants()) > 2:
            started.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), second:
        second.wait_ready(progress=show)
    assert started.is_set()
    assert not second.alive()
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not any(str(port) in command for command in commands)
