import os
from pathlib import Path

import pytest

from fmau.core.errors import ClipError, InputError, RunError
from fmau.frames.cache import build_cache
from fmau.frames.clip import ClipFrames
from fmau.frames.reader import ClipReader
from fmau.recipe import FramesBlock

SPEC = FramesBlock(min_pixels_per_frame=4096, max_pixels_per_frame=16384)


def read_bytes(path: Path, spec: FramesBlock) -> ClipFrames:
    """Frames that are the file's content; an empty file cannot be read."""
    content = path.read_bytes()
    if not content:
        raise ClipError(f"{path}: the file is empty; copy the clip again")
    times = tuple(range(spec.count))
    return ClipFrames(path.stem, (content,) * spec.count, 64, 64, times, 30.0, 60, 2.0)


@pytest.fixture
def clips(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.mp4" for name in ("nod", "wave", "new")}
    for name, path in paths.items():
        path.write_bytes(name.encode())
    cached = {name: paths[name] for name in ("nod", "wave")}
    build_cache(tmp_path / "cache", cached, SPEC, workers=1, read=read_bytes)
    return paths


def test_what_the_cache_holds_is_not_decoded(tmp_path: Path, clips: dict[str, Path]) -> None:
    reader = ClipReader(SPEC, tmp_path / "cache", read=read_bytes)
    for name, path in clips.items():
        assert reader(name, path) == read_bytes(path, SPEC)
    assert (reader.decoded, reader.cached) == (1, 2)
    everything = ClipReader(SPEC, read=read_bytes)
    for name, path in clips.items():
        assert everything(name, path) == read_bytes(path, SPEC)
    assert everything.decoded == 3


def test_a_clip_that_was_written_anew_is_decoded(tmp_path: Path, clips: dict[str, Path]) -> None:
    clips["nod"].write_bytes(b"another film")
    changed = clips["wave"].stat().st_mtime_ns + 1
    os.utime(clips["wave"], ns=(changed, changed))
    reader = ClipReader(SPEC, tmp_path / "cache", read=read_bytes)
    assert reader("nod", clips["nod"]).jpegs[0] == b"another film"
    reader("wave", clips["wave"])
    assert reader.decoded == 2


def test_frames_stand_for_a_clip_that_is_gone(tmp_path: Path, clips: dict[str, Path]) -> None:
    clips["nod"].unlink()
    reader = ClipReader(SPEC, tmp_path / "cache", read=read_bytes)
    assert reader("nod", clips["nod"]).jpegs[0] == b"nod"
    assert reader.decoded == 0


def test_a_clip_that_cannot_be_decoded_does_not_count(
    tmp_path: Path, clips: dict[str, Path]
) -> None:
    clips["new"].write_bytes(b"")
    reader = ClipReader(SPEC, tmp_path / "cache", read=read_bytes)
    with pytest.raises(ClipError, match="empty"):
        reader("new", clips["new"])
    assert reader.decoded == 0


def test_a_cache_of_other_frames_is_refused(tmp_path: Path, clips: dict[str, Path]) -> None:
    with pytest.raises(RunError, match=r"frames\.count: 8 -> 16"):
        ClipReader(SPEC.model_copy(update={"count": 16}), tmp_path / "cache")
    with pytest.raises(RunError, match=r"no frame cache .*fill it with fmau frames"):
        ClipReader(SPEC, tmp_path / "nowhere")


def test_damaged_frames_are_never_given(tmp_path: Path, clips: dict[str, Path]) -> None:
    (shard,) = (tmp_path / "cache").glob("shard-*.arrow")
    content = shard.read_bytes()
    shard.write_bytes(content.replace(b"nodnodnod", b"nodnudnod"))
    assert shard.read_bytes() != content
    reader = ClipReader(SPEC, tmp_path / "cache", read=read_bytes)
    with pytest.raises(InputError, match=r"clip nod.*checksum does not match"):
        reader("nod", clips["nod"])
    assert reader("wave", clips["wave"]) == read_bytes(clips["wave"], SPEC)
