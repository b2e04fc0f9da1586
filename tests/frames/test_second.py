"""The second decoder agrees with the first where it is asked, and is not asked where it errs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fmau.core.errors import InputError
from fmau.frames.cache import FrameCache, build_cache, recheck
from fmau.frames.clip import read_clip
from fmau.frames.decode import decode
from fmau.frames.second import decode_again
from fmau.frames.timeline import probe
from fmau.recipe import FramesBlock
from tests.clips import write_clip

SPEC = FramesBlock(min_pixels_per_frame=4096, max_pixels_per_frame=16384)
INDICES = [0, 4, 4, 17, 29]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_both_decoders_give_the_same_pixels(name: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / name, 30)
    timeline = probe(path)
    again = decode_again(path, timeline, INDICES)
    assert again is not None
    np.testing.assert_array_equal(again, decode(path, timeline, INDICES))


def test_it_is_not_asked_where_it_may_err(tmp_path: Path) -> None:
    groups = write_clip(tmp_path / "groups.mp4", 30, gop=12)
    assert probe(groups).key_frames == 3
    assert decode_again(groups, probe(groups), INDICES) is None
    turned = write_clip(tmp_path / "turned.mp4", 30, rotation=90)
    assert decode_again(turned, probe(turned), INDICES) is None
    trimmed = write_clip(tmp_path / "trimmed.mp4", 36, trimmed_frames=6)
    assert decode_again(trimmed, probe(trimmed), INDICES) is None


def test_a_cache_is_compared_with_its_clips(tmp_path: Path) -> None:
    clips = {
        "one": write_clip(tmp_path / "one.mp4", 30),
        "groups": write_clip(tmp_path / "groups.mp4", 30, gop=12),
    }
    build_cache(tmp_path / "cache", clips, SPEC, workers=1)
    found = recheck(FrameCache(tmp_path / "cache"), clips | {"new": tmp_path / "new.mp4"})
    assert (found.equal, found.left_out) == (1, 1)


def test_frames_that_differ_are_named(tmp_path: Path) -> None:
    clips = {name: write_clip(tmp_path / f"{name}.mp4", 30) for name in ("right", "wrong")}

    def read(path: Path, spec: FramesBlock):  # type: ignore[no-untyped-def]
        frames = read_clip(path, spec)
        late = (*frames.jpegs[1:], frames.jpegs[0])
        return replace(frames, jpegs=late) if path.stem == "wrong" else frames

    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read)
    with pytest.raises(InputError, match=r"wrong\.mp4: its frames in the cache differ") as error:
        recheck(FrameCache(tmp_path / "cache"), clips)
    assert "right" not in str(error.value)
