from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fmau.core.errors import ClipError
from fmau.frames import timeline as timeline_module
from fmau.frames.timeline import probe
from tests.clips import cut_off, write_audio_only, write_clip

UNEVEN_MS = [0, 20, 33, 90, 140, 260, 300, 333, 400, 520, 530, 610, 700, 705, 800, 990]

Write = Callable[[Path], Path]

CLIPS: dict[str, Write] = {
    "30 fps": lambda folder: write_clip(folder / "clip.mp4", 40),
    "25 fps": lambda folder: write_clip(folder / "clip.mp4", 40, rate=25),
    "NTSC": lambda folder: write_clip(folder / "clip.mp4", 40, rate=Fraction(30000, 1001)),
    "variable rate": lambda folder: write_clip(folder / "clip.mp4", 16, times_ms=UNEVEN_MS),
    "matroska": lambda folder: write_clip(folder / "clip.mkv", 40),
    "variable matroska": lambda folder: write_clip(folder / "clip.mkv", 16, times_ms=UNEVEN_MS),
    "late start": lambda folder: write_clip(
        folder / "clip.mp4", 20, times_ms=[500 + 40 * number for number in range(20)]
    ),
    "webm": lambda folder: write_clip(folder / "clip.webm", 20, codec="libvpx-vp9"),
    "avi": lambda folder: write_clip(folder / "clip.avi", 20, codec="mpeg4"),
    "odd size": lambda folder: write_clip(folder / "clip.mp4", 12, height=98, width=130),
    "two frames": lambda folder: write_clip(folder / "clip.mp4", 2),
    "upside down": lambda folder: write_clip(folder / "clip.mp4", 6, rotation=180),
    "turned left": lambda folder: write_clip(folder / "clip.mp4", 6, rotation=90),
    "turned right": lambda folder: write_clip(folder / "clip.mp4", 6, rotation=-90),
}


@pytest.mark.parametrize(
    ("kind", "fps"), [("30 fps", 30), ("25 fps", 25), ("matroska", 30), ("late start", 25)]
)
def test_constant_rates_are_exact(kind: str, fps: float, tmp_path: Path) -> None:
    timeline = probe(CLIPS[kind](tmp_path))
    assert timeline.constant_rate
    assert timeline.fps == fps
    count = timeline.total_num_frames
    assert timeline.times_s == pytest.approx([i / fps for i in range(count)])
    assert timeline.duration_s == pytest.approx(count / fps)


def test_the_rate_of_ntsc_video_is_not_rounded(tmp_path: Path) -> None:
    timeline = probe(CLIPS["NTSC"](tmp_path))
    assert timeline.fps == 30000 / 1001
    assert timeline.times_s[-1] == pytest.approx(39 * 1001 / 30000, abs=1e-9)


@pytest.mark.parametrize("kind", ["variable rate", "variable matroska"])
def test_times_of_a_variable_rate_clip_are_those_written(kind: str, tmp_path: Path) -> None:
    timeline = probe(CLIPS[kind](tmp_path))
    assert not timeline.constant_rate
    assert timeline.times_s == pytest.approx([ms / 1000 for ms in UNEVEN_MS], abs=1e-4)
    assert timeline.fps == pytest.approx(15 / 0.99)
    assert timeline.duration_s > timeline.times_s[-1]


def missing(folder: Path) -> Path:
    return folder / "clip.mp4"


def empty(folder: Path) -> Path:
    (folder / "clip.mp4").touch()
    return folder / "clip.mp4"


def text(folder: Path) -> Path:
    (folder / "clip.mp4").write_text("version https://example.org/large-file-pointer\n" * 20)
    return folder / "clip.mp4"


def playlist(folder: Path) -> Path:
    entry = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"
    )
    (folder / "clip.mp4").write_text(entry)
    return folder / "clip.mp4"


def large(folder: Path, name: str, faststart: bool = False) -> Path:
    return write_clip(folder / name, 40, height=240, width=320, faststart=faststart)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (missing, "no such file; put the clip there"),
        (empty, "the file is empty; copy the clip again"),
        (text, "cannot be read as a video"),
        (playlist, "cannot be read as a video"),
        (lambda folder: folder, "no such file"),
        (lambda folder: write_audio_only(folder / "clip.mp4"), "holds no video"),
        (lambda folder: write_clip(folder / "clip.mp4", 1), "one frame shows no movement"),
        (lambda folder: write_clip(folder / "clip.h264", 9), "does not say when its frames"),
        (lambda folder: cut_off(large(folder, "clip.mp4"), 0.6), "cannot be read as a video"),
        (lambda folder: cut_off(large(folder, "clip.mp4", True), 0.6), "cut off before its end"),
        (lambda folder: cut_off(large(folder, "clip.mp4", True), 0.999), "cut off before its end"),
        (lambda folder: cut_off(large(folder, "clip.mkv"), 0.6), "cut off before its end"),
    ],
)
def test_bad_clips_are_named_with_the_reason(make: Write, reason: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(ClipError, match=reason) as error:
        probe(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "; " in str(error.value)


def test_a_clip_without_any_passage_of_time_is_refused() -> None:
    packets: list[Any] = [SimpleNamespace(pts=7, duration=0, is_keyframe=True) for _ in range(3)]
    rates = {"average_rate": None, "base_rate": Fraction(30), "guessed_rate": None}
    stream: Any = SimpleNamespace(time_base=Fraction(1, 1000), **rates)
    with pytest.raises(ClipError, match=r"clip\.mp4: all frames are shown at the same time"):
        timeline_module._from_packets(Path("clip.mp4"), stream, packets)


def test_pictures_that_would_fill_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.mp4", 3)
    monkeypatch.setattr(timeline_module, "MAX_PIXELS", 96 * 128 - 1)
    with pytest.raises(ClipError, match=r"its pictures have 128 x 96 pixels, more than 12,287"):
        probe(path)
    monkeypatch.setattr(timeline_module, "MAX_PIXELS", 96 * 128)
    assert probe(path).total_num_frames == 3


def test_a_whole_film_is_not_a_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "clip.mp4", 30)
    monkeypatch.setattr(timeline_module, "MAX_FRAMES", 29)
    with pytest.raises(ClipError, match=r"has more than 29 frames of 128 x 96 pixels; cut out"):
        probe(path)
    monkeypatch.setattr(timeline_module, "MAX_FRAMES", 30)
    assert probe(path).total_num_frames == 30


def test_many_large_pictures_are_refused_though_each_bound_alone_lets_them_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.mp4", 30)
    monkeypatch.setattr(timeline_module, "MAX_CLIP_PIXELS", 30 * 96 * 128 - 1)
    with pytest.raises(ClipError, match=r"has more than 29 frames of 128 x 96 pixels; cut out"):
        probe(path)
    monkeypatch.setattr(timeline_module, "MAX_CLIP_PIXELS", 30 * 96 * 128)
    assert probe(path).total_num_frames == 30


def test_a_file_whose_metadata_is_not_text_is_read_all_the_same(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 3)
    content = path.read_bytes()
    assert content.count(b"Lavf") >= 1
    path.write_bytes(content.replace(b"Lavf", b"\xc2\xff\xfe\xc2"))
    assert probe(path).total_num_frames == 3
