"""A second decoder, decord, to hold the first against: for `fmau frames --verify`.

decord is built on another FFmpeg than PyAV and finds frames by itself, so that a fault of one is
not a fault of the other. It seeks to key frames, which lands elsewhere in many files, and knows
no mirrored pictures: so it is asked only about clips with a single key frame at their start.
"""

from collections.abc import Sequence
from pathlib import Path

import decord
import numpy as np
from numpy.typing import NDArray

from fmau.frames.timeline import Timeline

decord.logging.set_level(decord.logging.QUIET)


def decode_again(
    path: Path, timeline: Timeline, indices: Sequence[int]
) -> NDArray[np.uint8] | None:
    """The pixels of the frames at `indices` by decord, as pixels_THWC.

    None where decord says nothing of use: it cannot open the file, counts other frames, or the
    clip is not decoded in one go.
    """
    if timeline.key_frames != 1 or timeline.displayed_otherwise:
        return None
    try:
        reader = decord.VideoReader(str(path.absolute()), num_threads=1)
        if len(reader) != timeline.total_num_frames:
            return None
        pixels_THWC: NDArray[np.uint8] = reader.get_batch(list(indices)).asnumpy()
    except (decord.DECORDError, RuntimeError, AssertionError):
        return None
    return pixels_THWC
