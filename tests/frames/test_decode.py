"""The pixels are those of a plain decode from the start, whatever file and frames are asked for.

Every test frame shows its number, so a picture tells which frame it is.
"""

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fmau.core.errors import ClipError
from fmau.frames import decode as decode_module
from fmau.frames.decode import decode
from fmau.frames.orientation import orientation_of
from fmau.frames.timeline import probe
from tests.clips import numbered_frame, read_number, write_clip

FRAMES = 45

X265 = "log-level=none:keyint=15"
KINDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "H.264, one group": ("mp4", "libx264", {}),
    "H.264, short groups": ("mp4", "libx264", {"g": "12"}),
    "H.264, open groups": (
        "mp4",
        "libx264",
        {"x264-params": "open-gop=1:keyint=10:bframes=3:b-pyramid=normal"},
    ),
    "H.264, refreshed bit by bit": (
        "mp4",
        "libx264",
        {"x264-params": "intra-refresh=1:keyint=15"},
    ),
    "H.264, no B-frames": ("mp4", "libx264", {"bf": "0", "g": "15"}),
    "H.264, transport stream": ("ts", "libx264", {"g": "12"}),
    "H.264, AVI": ("avi", "libx264", {"g": "12"}),
    "H.264, QuickTime": ("mov", "libx264", {"g": "12"}),
    "HEVC, open groups": ("mp4", "libx265", {"x265-params": X265}),
    "HEVC, closed groups": ("mkv", "libx265", {"x265-params": f"{X265}:open-gop=0"}),
    "MPEG-4, B-frames": ("mp4", "mpeg4", {"g": "12", "bf": "2"}),
    "MPEG-4, B-frames, Matroska": ("mkv", "mpeg4", {"g": "12", "bf": "2"}),
    "MPEG-4, AVI": ("avi", "mpeg4", {"g": "12"}),
    "MPEG-2, program stream": ("mpg", "mpeg2video", {"g": "12", "bf": "2"}),
    "VP9": ("webm", "libvpx-vp9", {"g": "12"}),
    "VP8": ("webm", "libvpx", {"g": "12"}),
    "Motion JPEG": ("avi", "mjpeg", {}),
}


def plain(path: Path) -> NDArray[np.uint8]:
    """pixels_THWC of the whole clip, decoded from start to end."""
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """One clip of each kind, written once."""
    folder = tmp_path_factory.mktemp("kinds")
    written: dict[str, Path] = {}

    def clip(kind: str) -> Path:
        if kind not in written:
            suffix, codec, options = KINDS[kind]
            path = folder / f"{len(written)}.{suffix}"
            written[kind] = write_clip(path, FRAMES, codec=codec, encoder=options)
        return written[kind]

    return clip


@pytest.mark.parametrize("kind", KINDS)
def test_the_frames_are_those_of_a_plain_decode(kind: str, clips: Callable[[str], Path]) -> None:
    path = clips(kind)
    timeline, everything = probe(path), plain(path)
    assert timeline.total_num_frames == len(everything) == FRAMES
    assert [read_number(pixels_HWC) for pixels_HWC in everything] == list(range(FRAMES))
    rng = random.Random(kind)
    for _ in range(12):
        indices = sorted(rng.choices(range(FRAMES), k=rng.randint(1, 9)))
        np.testing.assert_array_equal(decode(path, timeline, indices), everything[indices])


@given(
    frames=st.integers(2, 40),
    gop=st.integers(1, 40),
    b_frames=st.integers(0, 4),
    open_groups=st.booleans(),
    refs=st.integers(1, 4),
    data=st.data(),
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_structure_and_any_indices(
    tmp_path: Path,
    frames: int,
    gop: int,
    b_frames: int,
    open_groups: bool,
    refs: int,
    data: st.DataObject,
) -> None:
    structure = f"keyint={gop}:bframes={b_frames}:open-gop={int(open_groups)}:ref={refs}"
    path = write_clip(tmp_path / "clip.mp4", frames, encoder={"x264-params": structure})
    indices = sorted(data.draw(st.lists(st.integers(0, frames - 1), min_size=1, max_size=9)))
    pixels_THWC = decode(path, probe(path), indices)
    np.testing.assert_array_equal(pixels_THWC, plain(path)[indices])


def test_frames_that_no_wanted_frame_needs_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.mp4", 40, encoder={"x264-params": "bframes=3:b-adapt=0"})
    timeline = probe(path)
    seen: list[int | None] = []
    frames = decode_module._frames

    def counted(*arguments):  # type: ignore[no-untyped-def]
        for frame in frames(*arguments):
            seen.append(frame.pts)
            yield frame

    monkeypatch.setattr(decode_module, "_frames", counted)
    decode(path, timeline, [0, 20])
    assert len(seen) < 15, "B-frames between, and all behind the last, are left out"


def test_frames_that_an_edit_leaves_out_are_neither_counted_nor_shown(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 40, trimmed_frames=6)
    timeline = probe(path)
    assert timeline.total_num_frames == 34
    assert timeline.times_s == pytest.approx([number / 30 for number in range(34)])
    shown = [read_number(pixels_HWC) for pixels_HWC in decode(path, timeline, [0, 1, 10, 33])]
    assert shown == [6, 7, 16, 39]


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_damaged_pictures_are_refused_by_name(codec: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 40, codec=codec, height=240, width=320)
    good = path.read_bytes()
    with av.open(str(path)) as container:
        entries = [(entry.pos, entry.size) for entry in container.streams.video[0].index_entries]
    timeline, everything = probe(path), plain(path)
    for number in (3, 11, 20, 33):
        position, size = entries[number]
        damaged = bytearray(good)
        middle = position + size // 2
        damaged[middle : position + size] = b"\xa5" * (position + size - middle)
        path.write_bytes(damaged)
        with pytest.raises(ClipError, match=r"clip\.mp4: (frame \d+ \(at|damaged after \d+)"):
            decode(path, timeline, range(40))
    path.write_bytes(good)
    np.testing.assert_array_equal(decode(path, timeline, range(40)), everything)


def test_frames_that_are_missing_are_an_error_rather_than_a_guess(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 40)
    with av.open(str(path)) as container:
        entries = [(entry.pos, entry.size) for entry in container.streams.video[0].index_entries]
    content = bytearray(path.read_bytes())
    position, size = entries[20]
    content[position + 4 : position + size] = bytes(size - 4)
    path.write_bytes(content)
    with pytest.raises(ClipError, match=r"clip\.mp4: "):
        decode(path, probe(path), range(40))


def test_a_preview_beside_the_video_is_not_shown(tmp_path: Path) -> None:
    """Times and pixels come from one stream, the one that players show."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        small = container.add_stream("libx264", rate=Fraction(10))
        large = container.add_stream("libx264", rate=Fraction(30))
        for stream, height, width in ((small, 64, 64), (large, 192, 256)):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(30):
            container.mux(
                large.encode(av.VideoFrame.from_ndarray(numbered_frame(number, 192, 256), "rgb24"))
            )
            if number % 3 == 0:
                picture = numbered_frame(255, 64, 64)
                container.mux(small.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        for stream in (small, large):
            container.mux(stream.encode(None))
    timeline = probe(path)
    pixels_THWC = decode(path, timeline, [0, 7, 29])
    assert (timeline.total_num_frames, timeline.fps) == (30, 30)
    assert pixels_THWC.shape == (3, 192, 256, 3)
    assert [read_number(pixels_HWC) for pixels_HWC in pixels_THWC] == [0, 7, 29]


@pytest.mark.parametrize("error", [ValueError("is slanted"), av.error.ExternalError(1, "broken")])
def test_a_last_frame_that_cannot_be_converted_is_named(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames before it were converted, so their count is no proof that the last is there."""
    path = write_clip(tmp_path / "clip.mp4", 12)
    timeline = probe(path)
    right = orientation_of

    def fail_at_the_last(frame: av.VideoFrame) -> object:
        if frame.pts == timeline.marks[-1]:
            raise error
        return right(frame)

    monkeypatch.setattr(decode_module, "orientation_of", fail_at_the_last)
    with pytest.raises(ClipError, match=r"clip\.mp4: frame 11 \(at 0\.37 s\) (is|cannot)"):
        decode(path, timeline, [0, 5, 11])
    assert [read_number(pixels) for pixels in decode(path, timeline, [0, 5])] == [0, 5]
