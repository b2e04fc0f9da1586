"""A second decoder, decord, to compare the first with: `fmau frames --verify` uses it.

decord is built on another FFmpeg than PyAV and finds frames in its own way, so the two do not share
their faults. But decord seeks to key frames, which lands on other frames in many files, and it
does not mirror pictures. So it is asked only about clips with one key frame, at their start, that
are shown as they are stored.
"""

from collections.abc import Sequence
from pathlib import Path

import av
import decord
import numpy as np
from numpy.typing import NDArray

from fmau.frames.orientation import Orientation, orientation_of
from fmau.frames.timeline import Timeline, open_video

decord.logging.set_level(decord.logging.QUIET)


def decode_again(
    path: Path, timeline: Timeline, indices: Sequence[int]
) -> NDArray[np.uint8] | None:
    """The pixels of the frames at `indices` as decord decodes them, as pixels_THWC.

    Returns:
        None if decord cannot be relied on for this file, cannot open it, or counts other frames.
    """
    if timeline.key_frames != 1 or not _is_stored_as_shown(path):
        return None
    try:
        # An absolute path is never taken for a URL. One thread: clips are decoded side by side.
        reader = decord.VideoReader(str(path.absolute()), num_threads=1)
        if len(reader) != timeline.total_num_frames:
            return None
        pixels_THWC: NDArray[np.uint8] = reader.get_batch(list(indices)).asnumpy()
    except (decord.DECORDError, RuntimeError, AssertionError):
        return None
    return pixels_THWC


def _is_stored_as_shown(path: Path) -> bool:
    try:
        with open_video(path) as (container, stream):
            return orientation_of(next(container.decode(stream))) == Orientation()
    except (av.FFmpegError, StopIteration, ValueError):
        return False
