"""How a player turns and mirrors the pictures of a video file before it shows them.

Phones and cameras store what the sensor saw, and beside it a display matrix: four numbers that say
where the right and the lower edge of the stored picture go. A quarter turn and a mirror image are
all that such files hold, eight orientations in all. Left and right are what the benchmark asks
about, so a mirrored clip must come out as people see it.

Axes: H height, W width, C red-green-blue.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

_MATRIX = struct.Struct("=9i")
_FIXED_POINT = 1 << 16
_TOLERANCE = 0.02
"""Of an entry from -1, 0 or 1: rounding, not a slanted picture."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways to show a picture.

    Attributes:
        transposed: rows become columns, before anything is mirrored.
        mirrored: left and right are exchanged.
        upside_down: top and bottom are exchanged.
    """

    transposed: bool = False
    mirrored: bool = False
    upside_down: bool = False

    def apply(self, pixels_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture as it is shown; height and width are exchanged if it is transposed."""
        if self.transposed:
            pixels_HWC = pixels_HWC.transpose(1, 0, 2)
        if self.mirrored:
            pixels_HWC = pixels_HWC[:, ::-1]
        if self.upside_down:
            pixels_HWC = pixels_HWC[::-1]
        return pixels_HWC


def orientation_of(frame: VideoFrame) -> Orientation:
    """How a decoded frame is to be shown.

    The matrix [a b; c d] moves the point x, y to a x + c y, b x + d y, with y downwards
    (ISO/IEC 14496-12, section 8.3.2; FFmpeg keeps it as side data of the frame).

    Raises:
        ValueError: it is slanted, stretched or turned by less than a quarter turn.
    """
    side_data: Any = frame.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return Orientation()
    entries = _MATRIX.unpack_from(bytes(side_data))
    a, b, c, d = (entries[place] / _FIXED_POINT for place in (0, 1, 3, 4))
    near = all(min(abs(entry), abs(abs(entry) - 1)) <= _TOLERANCE for entry in (a, b, c, d))
    a, b, c, d = (round(entry) for entry in (a, b, c, d))
    if near and a and d and not (b or c):
        return Orientation(mirrored=a < 0, upside_down=d < 0)
    if near and b and c and not (a or d):
        return Orientation(transposed=True, mirrored=c < 0, upside_down=b < 0)
    raise ValueError("is to be shown slanted, stretched or turned by less than a quarter turn")
