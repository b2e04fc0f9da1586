"""Draws the head: an ellipsoid with hair, and a face whose features turn with it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmau.demo.mini.canvas import Painter, shade
from fmau.demo.mini.figure import Colour, Subject

Floats = NDArray[np.float64]

WIDE, HIGH, DEEP = 0.38, 0.50, 0.46
"""Half axes of the head, in head heights."""

SIDES = (1.0, -1.0)
"""Sense of x on the left and on the right of the head."""

FRAME: Colour = (25, 25, 30)
"""Colour of spectacles."""

_RING = np.linspace(0, 2 * np.pi, 10, endpoint=False)
_CLOSED_RING = (*_RING, _RING[0])


def draw_head(painter: Painter, subject: Subject, middle_D: Floats, turn_DD: Floats) -> None:
    """Draw a head.

    Args:
        painter: takes the shapes.
        subject: whose head it is.
        middle_D: centre of the head, body frame.
        turn_DD: rotation of the head, columns left, up, forward.
    """
    head = _Head(painter, subject, middle_D, turn_DD)
    head.hair_behind()
    head.skull()
    head.hair_on_top()
    if painter.canvas.facing(middle_D, turn_DD[:, 2]) > 0.05:
        head.face()


@dataclass(frozen=True, slots=True)
class _Head:
    """Places on a head are (x, y, z) or, on the skin of the face, (x, y), in head heights."""

    painter: Painter
    subject: Subject
    middle_D: Floats
    turn_DD: Floats

    def at(self, x: float, y: float, z: float) -> Floats:
        """A place in the body frame."""
        return np.asarray(self.middle_D + self.subject.head * (self.turn_DD @ np.array([x, y, z])))

    def on_skin(self, x: float, y: float) -> Floats:
        """The place of the face at this side and height, a little above the surface."""
        depth = DEEP * np.sqrt(max(0.0, 1 - (x / WIDE) ** 2 - (y / HIGH) ** 2))
        return self.at(x, y, float(depth) + 0.01)

    def facing(self, point_D: Floats) -> float:
        """How squarely the surface at a point is turned to the camera, -1 to 1."""
        outward_D = point_D - self.middle_D
        return self.painter.canvas.facing(point_D, outward_D / np.linalg.norm(outward_D))

    def visible(self, point_D: Floats) -> bool:
        """Whether a feature at this point of the face is turned to the camera."""
        return self.facing(point_D) > 0.12

    def hair_behind(self) -> None:
        """Back of the hair, long strands and the bun, behind the skull."""
        size, hair = self.subject.head, self.subject.hair
        balls = [(self.at(0, 0.12, -0.12), 0.43 * size)]
        if self.subject.hair_style == 1:
            balls += [(self.at(side * 0.28, -0.45, -0.12), 0.16 * size) for side in SIDES]
        self.painter.hull(balls, hair, ahead=-0.08)
        if self.subject.hair_style == 2:
            self.painter.hull([(self.at(0, 0.52, -0.18), 0.17 * size)], hair, ahead=-0.02)

    def skull(self) -> None:
        """Ears, cranium and jaw."""
        size, skin = self.subject.head, self.subject.skin
        for side in SIDES:
            top_D, lobe_D = (self.at(side * 0.38, y, -0.02) for y in (0.06, -0.10))
            self.painter.limb(top_D, lobe_D, 0.11 * size, 0.02, shade(skin, 0.92))
        balls = [(self.at(0, 0.06, 0.0), 0.40 * size), (self.at(0, -0.22, 0.08), 0.26 * size)]
        self.painter.hull(balls, skin, ahead=0.01)

    def hair_on_top(self) -> None:
        """The cap of the skull above and behind a tilted hairline, as far as it can be seen."""
        balls = []
        for latitude in np.linspace(0.42, 1.5, 4):
            for longitude in np.linspace(-np.pi, np.pi, 25):
                # The hairline is high over the forehead and low behind the ears.
                up = latitude - (1 - np.cos(longitude)) * 0.42 * (1.5 - latitude)
                point_D = self.at(
                    0.42 * np.cos(up) * np.sin(longitude),
                    0.04 + 0.49 * np.sin(up),
                    0.44 * np.cos(up) * np.cos(longitude),
                )
                if self.facing(point_D) > -0.08:
                    balls.append((point_D, 0.012))
        if len(balls) > 3:
            self.painter.hull(balls, self.subject.hair, ahead=0.05)

    def face(self) -> None:
        """Eyes, spectacles, nose and mouth."""
        for side in SIDES:
            if self.visible(self.on_skin(side * 0.155, 0.04)):
                self._eye(side)
                if self.subject.glasses:
                    self._lens(side)
        if self.subject.glasses and self.visible(self.on_skin(0, 0.05)):
            bridge = [self.on_skin(side * 0.05, 0.055) for side in SIDES]
            self.painter.line(bridge, FRAME, 0.008, ahead=0.04)
        root_D = self.on_skin(0, 0.03)
        tip_D = self.on_skin(0, -0.09) + 0.07 * self.subject.head * self.turn_DD[:, 2]
        self.painter.limb(root_D, tip_D, 0.010, 0.020, shade(self.subject.skin, 0.90), ahead=0.02)
        corners = ((0.11, -0.245), (0.04, -0.262), (-0.04, -0.262), (-0.11, -0.245))
        mouth = [self.on_skin(x, y) for x, y in corners]
        if self.visible(mouth[1]):
            self.painter.line(mouth, _lips(self.subject.skin), 0.014, ahead=0.02)

    def _ellipse(
        self, centre_D: Floats, wide: float, high: float, angles: tuple[float, ...]
    ) -> list[Floats]:
        left_D, up_D = (
            self.turn_DD[:, 0] * self.subject.head,
            self.turn_DD[:, 1] * self.subject.head,
        )
        return [centre_D + wide * np.cos(a) * left_D + high * np.sin(a) * up_D for a in angles]

    def _eye(self, side: float) -> None:
        eye_D = self.on_skin(side * 0.155, 0.04)
        ring = tuple(_RING)
        self.painter.patch(self._ellipse(eye_D, 0.075, 0.042, ring), (250, 250, 250), ahead=0.02)
        self.painter.patch(self._ellipse(eye_D, 0.034, 0.034, ring), (40, 30, 25), ahead=0.03)
        arch = ((0.07, 0.135), (0.16, 0.155), (0.25, 0.125))
        brow = [self.on_skin(side * x, y) for x, y in arch]
        self.painter.line(brow, shade(self.subject.hair, 0.8), 0.013, ahead=0.02)

    def _lens(self, side: float) -> None:
        before_D = self.on_skin(side * 0.155, 0.04) + 0.03 * self.turn_DD[:, 2] * self.subject.head
        rim = self._ellipse(before_D, 0.115, 0.092, _CLOSED_RING)
        self.painter.line(rim, FRAME, 0.008, ahead=0.04)
        temple = [self.on_skin(side * 0.27, 0.05), self.at(side * 0.40, 0.04, 0.0)]
        self.painter.line(temple, FRAME, 0.008, ahead=0.01)


def _lips(skin: Colour) -> Colour:
    red, green, blue = skin
    return int(red * 0.80), int(green * 0.50), int(blue * 0.50)
