"""The head: an ellipsoid with hair, and a face whose features turn with it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fmau.mini.canvas import Painter, shade
from fmau.mini.figure import Colour, Subject

Floats = NDArray[np.float64]
Place = Callable[[float, float, float], Floats]
SkinPlace = Callable[[float, float], Floats]

WIDE, HIGH, DEEP = 0.38, 0.50, 0.46
"""Half axes of the head, in head heights."""


def draw_head(painter: Painter, subject: Subject, middle: Floats, turn: Floats) -> None:
    """Draw a head.

    Args:
        middle: centre of the head, body frame.
        turn: rotation of the head, columns left, up, forward.
    """
    size = subject.head

    def at(x: float, y: float, z: float) -> Floats:
        return np.asarray(middle + size * (turn @ np.array([x, y, z])))

    def on_skin(x: float, y: float) -> Floats:
        """A point of the face at this height and side, on the surface."""
        depth = DEEP * np.sqrt(max(0.0, 1 - (x / WIDE) ** 2 - (y / HIGH) ** 2))
        return at(x, y, float(depth) + 0.01)

    _hair_behind(painter, subject, at)
    for side in (1.0, -1.0):
        ear = [at(side * 0.38, y, -0.02) for y in (0.06, -0.10)]
        painter.limb(ear[0], ear[1], 0.055 * size / 0.25 * 0.5, 0.02, shade(subject.skin, 0.92))
    skull = [(at(0, 0.06, 0.0), 0.40 * size), (at(0, -0.22, 0.08), 0.26 * size)]
    painter.hull(skull, subject.skin, ahead=0.01)
    _hair_on_top(painter, subject, at)
    facing = painter.canvas.facing(middle, turn[:, 2])
    if facing > 0.05:
        _features(painter, subject, on_skin, at, turn, middle)


def _hair_behind(painter: Painter, subject: Subject, place: Place) -> None:
    size = subject.head
    balls = [(place(0, 0.12, -0.12), 0.43 * size)]
    if subject.hair_style == 1:
        balls += [(place(s * 0.28, -0.45, -0.12), 0.16 * size) for s in (1.0, -1.0)]
    painter.hull(balls, subject.hair, ahead=-0.08)
    if subject.hair_style == 2:
        painter.hull([(place(0, 0.52, -0.18), 0.17 * size)], subject.hair, ahead=-0.02)


def _hair_on_top(painter: Painter, subject: Subject, place: Place) -> None:
    """The cap of the skull above and behind a tilted hairline, as far as it can be seen."""
    middle = place(0, 0, 0)
    rows = []
    for latitude in np.linspace(0.42, 1.5, 4):
        for longitude in np.linspace(-np.pi, np.pi, 25):
            # The hairline is high over the forehead and low behind the ears.
            up = latitude - (1 - np.cos(longitude)) * 0.42 * (1.5 - latitude)
            x = 0.42 * np.cos(up) * np.sin(longitude)
            y = 0.04 + 0.49 * np.sin(up)
            z = 0.44 * np.cos(up) * np.cos(longitude)
            point = place(x, y, z)
            outward = point - middle
            if painter.canvas.facing(point, outward / np.linalg.norm(outward)) > -0.08:
                rows.append((point, 0.012))
    if len(rows) > 3:
        painter.hull(rows, subject.hair, ahead=0.05)


def _features(
    painter: Painter,
    subject: Subject,
    skin_at: SkinPlace,
    place: Place,
    turn: Floats,
    middle: Floats,
) -> None:
    size = subject.head
    dark = shade(subject.hair, 0.8)

    def visible(point: Floats) -> bool:
        outward = point - middle
        return painter.canvas.facing(point, outward / np.linalg.norm(outward)) > 0.12

    for side in (1.0, -1.0):
        eye = skin_at(side * 0.155, 0.04)
        if not visible(eye):
            continue
        left, up = turn[:, 0] * size, turn[:, 1] * size
        white = [eye + 0.075 * np.cos(a) * left + 0.042 * np.sin(a) * up for a in _RING]
        painter.patch(white, (250, 250, 250), ahead=0.10)
        iris = [eye + 0.034 * (np.cos(a) * left + np.sin(a) * up) for a in _RING]
        painter.patch(iris, (40, 30, 25), ahead=0.11)
        brow = [skin_at(side * x, y) for x, y in ((0.07, 0.135), (0.16, 0.155), (0.25, 0.125))]
        painter.line(brow, dark, 0.013, ahead=0.10)
        if subject.glasses:
            rim = [eye + 0.03 * turn[:, 2] * size + 0.115 * (np.cos(a) * left + 0.8 * np.sin(a) * up)
                   for a in (*_RING, _RING[0])]  # fmt: skip
            painter.line(rim, (25, 25, 30), 0.008, ahead=0.13)
            temple = [skin_at(side * 0.27, 0.05), place(side * 0.40, 0.04, 0.0)]
            painter.line(temple, (25, 25, 30), 0.008, ahead=0.09)
    if subject.glasses and visible(skin_at(0, 0.05)):
        painter.line([skin_at(s * 0.05, 0.055) for s in (1, -1)], (25, 25, 30), 0.008, ahead=0.13)
    nose = skin_at(0, -0.09) + turn[:, 2] * 0.07 * size
    bridge = skin_at(0, 0.03)
    painter.limb(bridge, nose, 0.010, 0.020, shade(subject.skin, 0.90), ahead=0.08)
    mouth = [
        skin_at(x, y) for x, y in ((0.11, -0.245), (0.04, -0.262), (-0.04, -0.262), (-0.11, -0.245))
    ]
    if visible(mouth[1]):
        painter.line(mouth, _lips(subject.skin), 0.014, ahead=0.10)


def _lips(skin: Colour) -> Colour:
    red, green, blue = skin
    return int(red * 0.80), int(green * 0.50), int(blue * 0.50)


_RING = np.linspace(0, 2 * np.pi, 10, endpoint=False)
