import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fmau.core.errors import ClipError
from fmau.frames import clip as clip_module
from fmau.frames.cache import build_cache
from fmau.frames.clip import frames_from_pixels, read_clip
from fmau.recipe import FramesBlock
from tests.clips import numbered_frame, read_number, write_clip
from tests.paths import REAL_CLIPS

SPEC = FramesBlock(min_pixels_per_frame=4096, max_pixels_per_frame=16384)


def test_a_clip_becomes_eight_small_frames_in_order(tmp_path: Path) -> None:
    frames = read_clip(write_clip(tmp_path / "sway.mp4", 40), SPEC)
    assert frames.clip == "sway"
    assert frames.indices == (0, 6, 11, 17, 22, 28, 33, 39)
    assert (frames.fps, frames.total_num_frames) == (30.0, 40)
    assert frames.duration_s == pytest.approx(40 / 30)
    pixels_THWC = frames.pixels_THWC()
    assert pixels_THWC.shape == (8, frames.height, frames.width, 3)
    assert pixels_THWC.dtype == np.uint8
    assert [read_number(pixels_HWC) for pixels_HWC in pixels_THWC] == list(frames.indices)


def test_the_url_carries_the_very_jpegs(tmp_path: Path) -> None:
    frames = read_clip(write_clip(tmp_path / "clip.mp4", 12), SPEC)
    head, _, data = frames.data_url().partition("base64,")
    assert head == "data:video/jpeg;"
    assert tuple(base64.b64decode(part, validate=True) for part in data.split(",")) == frames.jpegs
    sizes = {Image.open(io.BytesIO(jpeg)).size for jpeg in frames.jpegs}
    assert sizes == {(frames.width, frames.height)}


def test_a_variable_rate_clip_is_timed_in_milliseconds(tmp_path: Path) -> None:
    times_ms = [0, 20, 33, 90, 140, 260, 300, 333, 400, 520]
    frames = read_clip(write_clip(tmp_path / "clip.mp4", 10, times_ms=times_ms), SPEC)
    shown = [read_number(pixels_HWC) for pixels_HWC in frames.pixels_THWC()]
    assert frames.fps == 1000.0
    assert list(frames.indices) == [times_ms[number] for number in shown]
    assert frames.total_num_frames > frames.indices[-1]
    assert frames.duration_s == pytest.approx(frames.total_num_frames / 1000)


@pytest.mark.parametrize("count", [2, 8, 40])
@pytest.mark.parametrize("length", [2, 5, 60])
def test_what_vllm_is_told_passes_its_checks(count: int, length: int, tmp_path: Path) -> None:
    """vLLM's own reader of JPEG sequences, without a server."""
    pytest.importorskip("vllm")
    from vllm.multimodal.media import image, video

    spec = SPEC.model_copy(update={"count": count})
    frames = read_clip(write_clip(tmp_path / "clip.mp4", length), spec)
    told = json.loads(json.dumps(frames.media_kwargs()))
    reader = video.VideoMediaIO(image.ImageMediaIO(), **video.VideoMediaIO.merge_kwargs({}, told))
    media_type, _, data = frames.data_url().removeprefix("data:").partition(";base64,")
    pixels_THWC, metadata = reader.load_base64(media_type, data).media
    np.testing.assert_array_equal(pixels_THWC, frames.pixels_THWC())
    assert metadata["frames_indices"] == list(frames.indices)
    assert metadata["fps"] == frames.fps
    assert metadata["do_sample_frames"] is False


def test_frames_that_are_already_decoded_take_the_same_way(tmp_path: Path) -> None:
    drawn_THWC = np.stack([numbered_frame(number, 96, 128) for number in range(8)])
    frames = frames_from_pixels(
        "drawn", drawn_THWC, indices=range(8), fps=30, total_num_frames=8, spec=SPEC
    )
    assert frames.indices == tuple(range(8))
    assert [read_number(pixels_HWC) for pixels_HWC in frames.pixels_THWC()] == list(range(8))
    assert frames.duration_s == pytest.approx(8 / 30)


def test_a_clip_too_long_and_thin_is_named(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 4, height=2, width=512)
    with pytest.raises(ClipError, match=r"clip\.mp4: frames of 512x2 are too long and thin"):
        read_clip(path, SPEC)


@pytest.mark.parametrize("where", ["decode", "resize"])
def test_a_clip_that_does_not_fit_into_memory_fails_alone(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = {name: write_clip(tmp_path / f"{name}.mp4", 12) for name in ("large", "small")}
    real = getattr(clip_module, where)
    calls = 0

    def first_is_too_large(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise MemoryError
        return real(*given)

    monkeypatch.setattr(clip_module, where, first_is_too_large)
    done = build_cache(tmp_path / "cache", clips, SPEC, workers=1)
    assert done.done == 1
    (reason,) = done.failed.values()
    assert "large.mp4: 8 of its pictures do not fit into the memory" in reason


def test_reading_twice_gives_equal_bytes(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 12)
    assert read_clip(path, SPEC) == read_clip(path, SPEC)


@pytest.mark.skipif(not REAL_CLIPS, reason="the real clips are not here")
def test_real_clips() -> None:
    spec = FramesBlock(min_pixels_per_frame=65536, max_pixels_per_frame=262144)
    for path in REAL_CLIPS:
        frames = read_clip(path, spec)
        assert frames.clip == path.stem
        assert frames.fps == 30.0
        assert (frames.height, frames.width) == (544, 448)
        assert frames.indices[0] == 0
        assert frames.indices[-1] == frames.total_num_frames - 1
