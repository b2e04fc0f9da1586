"""Clips come out as a player shows them, in all eight orientations.

The truth is ffplay's own rule, built with FFmpeg's filters: which of them it inserts for a display
matrix is written down in ffplay's source (configure_video_filters).
"""

import itertools
import math
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray

from fmau.core.errors import ClipError
from fmau.frames.decode import decode
from fmau.frames.timeline import probe
from tests.clips import write_clip

ONE = 1 << 16
MATRICES = {
    f"{'transposed ' if transposed else ''}{first:+d} {second:+d}": (
        (0, first, 0, second, 0, 0) if transposed else (first, 0, 0, 0, second, 0)
    )
    for transposed, first, second in itertools.product((False, True), (1, -1), (1, -1))
}
"""a b u c d v of the eight display matrices, as signs."""


def with_matrix(path: Path, entries: tuple[int, ...]) -> Path:
    """Write a display matrix into the track header of an mp4 file."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 44
    content[at : at + 24] = struct.pack(">6i", *entries)
    path.write_bytes(content)
    return path


def as_ffplay_shows_it(path: Path, entries: tuple[int, ...]) -> NDArray[np.uint8]:
    """The first frame through the filters that ffplay inserts for a matrix."""
    a, b, _, c, d, _ = entries
    theta = math.degrees(math.atan2(b, a)) % 360
    if abs(theta - 90) < 1:
        filters = [("transpose", "cclock_flip" if c > 0 else "clock")]
    elif abs(theta - 180) < 1:
        filters = [(flip, "") for flip, entry in (("hflip", a), ("vflip", d)) if entry < 0]
    elif abs(theta - 270) < 1:
        filters = [("transpose", "clock_flip" if c < 0 else "cclock")]
    else:
        filters = [("vflip", "")] if d < 0 else []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        graph = Graph()
        chain = [graph.add_buffer(template=stream)]
        for name, argument in filters:
            chain.append(graph.add(name, argument or None))
        chain.append(graph.add("buffersink"))
        for one, other in itertools.pairwise(chain):
            one.link_to(other)
        graph.configure()
        graph.push(frame)
        shown = graph.pull()
        assert isinstance(shown, av.VideoFrame)
        return np.asarray(shown.to_ndarray(format="rgb24"), np.uint8)


@pytest.mark.parametrize("name", MATRICES)
def test_a_clip_is_shown_as_ffplay_shows_it(name: str, tmp_path: Path) -> None:
    entries = tuple(ONE * sign for sign in MATRICES[name])
    path = with_matrix(write_clip(tmp_path / "clip.mp4", 3), entries)
    (shown,) = decode(path, probe(path), [0])
    np.testing.assert_array_equal(shown, as_ffplay_shows_it(path, entries))


def test_the_eight_orientations_differ(tmp_path: Path) -> None:
    seen = set()
    for entries in MATRICES.values():
        path = with_matrix(write_clip(tmp_path / "c.mp4", 3), tuple(ONE * s for s in entries))
        (shown,) = decode(path, probe(path), [0])
        seen.add((shown.shape, shown.tobytes()))
    assert len(seen) == 8


def test_a_slanted_picture_is_refused(tmp_path: Path) -> None:
    turned = round(ONE * math.sqrt(0.5))
    path = with_matrix(write_clip(tmp_path / "c.mp4", 3), (turned, turned, 0, -turned, turned, 0))
    with pytest.raises(ClipError, match=r"frame 0 .* slanted, stretched or turned"):
        decode(path, probe(path), [0])
