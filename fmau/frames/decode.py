"""The pixels of chosen frames of a video file, exactly those of a plain decode from its start.

A video is decoded in order, from the first frame to the last one wanted: seeking to a frame lands
elsewhere in many files (open groups of pictures, B-frames without exact times, streams whose
pictures refresh bit by bit), with right times and wrong pictures. What no wanted frame needs is not
decoded: the frames that no other frame refers to. In the H.264 of phones and cameras these are half
of all, and a third of the work (docs/speed.md).

Axes: T frames, H height, W width, C red-green-blue.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from fmau.core.errors import ClipError
from fmau.frames.orientation import orientation_of
from fmau.frames.timeline import Timeline, open_video, probe

__all__ = ["Timeline", "decode", "probe"]


def decode(path: Path, timeline: Timeline, indices: Sequence[int]) -> NDArray[np.uint8]:
    """The pixels of the frames at `indices`, as a player shows them, as pixels_THWC.

    Args:
        timeline: of this very file, from `probe`.
        indices: ascending, repeats allowed.

    Raises:
        ClipError: a frame that is needed is damaged or cannot be decoded.
    """
    wanted = set(indices)
    pixels_by_index = _decode_skipping(path, timeline, wanted)
    if pixels_by_index is None:
        pixels_by_index = _decode_all(path, timeline, wanted)
    return np.stack([pixels_by_index[index] for index in indices])


Pixels = dict[int, NDArray[np.uint8]]


def _decode_skipping(path: Path, timeline: Timeline, wanted: set[int]) -> Pixels | None:
    """Frames told apart by the container's marks, so that others can be left out.

    None where marks do not tell: two frames share one, or the decoder gives other marks than the
    container (AVI mixes up those of B-frames).
    """
    place = {mark: index for index, mark in enumerate(timeline.marks)}
    if len(place) < timeline.total_num_frames:
        return None
    needed = {timeline.marks[index] for index in wanted}
    pixels: Pixels = {}
    before = -1
    for frame in _frames(path, timeline, needed):
        index = place.get(frame.pts) if frame.pts is not None else None
        if index is None or index <= before:
            return None
        before = index
        if index in wanted:
            pixels[index] = _shown(path, timeline, frame)
            if len(pixels) == len(wanted):
                return pixels
    return None  # some did not come; in order, it will be seen which


def _decode_all(path: Path, timeline: Timeline, wanted: set[int]) -> Pixels:
    """Frames told apart by their order, the one thing that all containers keep."""
    pixels: Pixels = {}
    decoded = 0
    for decoded, frame in enumerate(_frames(path, timeline, None), start=1):
        if decoded - 1 in wanted:
            pixels[decoded - 1] = _shown(path, timeline, frame)
    # A frame that the decoder left out would shift all that follow.
    if decoded != timeline.total_num_frames or len(pixels) < len(wanted):
        raise ClipError(
            f"{path}: only {decoded} of {timeline.total_num_frames} frames can be decoded; copy "
            "the clip again or convert it to mp4 with H.264"
        )
    return pixels


def _frames(path: Path, timeline: Timeline, needed: set[int] | None) -> Iterator[VideoFrame]:
    """The frames of a file in the order in which they are shown, each sound.

    Args:
        needed: marks of the frames that must be among them; None for all frames.

    Raises:
        ClipError: a frame is damaged.
    """
    number = 0
    try:
        with open_video(path) as (container, stream):
            decoder = stream.codec_context
            # One thread: clips are decoded side by side, which scales better than threads within
            # one; and what is skipped is then decided packet by packet.
            decoder.thread_count = 1
            for packet in container.demux(stream):
                skip = needed is not None and packet.pts not in needed and packet.size > 0
                decoder.skip_frame = "NONREF" if skip else "DEFAULT"
                for frame in packet.decode():
                    if not isinstance(frame, VideoFrame):
                        continue
                    if frame.is_corrupt:
                        raise _unusable(path, timeline, frame, "is damaged")
                    number += 1
                    yield frame
    except av.FFmpegError as error:
        raise ClipError(
            f"{path}: damaged after {number} decoded frames ({error.strerror or error}); copy the "
            "clip again or convert it to mp4 with H.264"
        ) from None


def _shown(path: Path, timeline: Timeline, frame: VideoFrame) -> NDArray[np.uint8]:
    """The pixels_HWC of a frame as a player shows it."""
    try:
        pixels_HWC = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        return orientation_of(frame).apply(pixels_HWC)
    except av.FFmpegError as error:  # before ValueError, which some of them are too
        what = f"cannot be converted ({error.strerror or error})"
        raise _unusable(path, timeline, frame, what) from None
    except ValueError as error:
        raise _unusable(path, timeline, frame, str(error)) from None


def _unusable(path: Path, timeline: Timeline, frame: VideoFrame, what: str) -> ClipError:
    which = "a frame"
    if frame.pts in timeline.marks:
        index = timeline.marks.index(frame.pts)
        which = f"frame {index} (at {timeline.times_s[index]:.2f} s)"
    return ClipError(f"{path}: {which} {what}; copy the clip again or convert it to mp4 with H.264")
