"""A pinhole camera, and a painter that draws far shapes before near ones; `render` uses both."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from fmau.demo.mini.figure import LOOK_AT, Camera, Colour

Floats = NDArray[np.float64]

SUBPIXEL_BITS = 4
OUTLINE = 0.62
"""Brightness of an outline relative to what it surrounds."""


def shade(colour: Colour, factor: float) -> Colour:
    """A lighter or darker tone."""
    red, green, blue = (int(min(255, max(0, round(value * factor)))) for value in colour)
    return red, green, blue


class Canvas:
    """Projects points of the body frame to pixels, with the camera of a clip."""

    def __init__(self, camera: Camera, height: int, width: int) -> None:
        self.height, self.width = height, width
        cy, sy = np.cos(camera.yaw), np.sin(camera.yaw)
        cp, sp = np.cos(camera.pitch), np.sin(camera.pitch)
        back = np.array([sy * cp, sp, cy * cp])
        # A camera in front of a person sees the person's left on its right.
        right = np.array([cy, 0.0, -sy])
        self._axes = np.stack([right, np.cross(back, right), back])
        self._eye = np.array(LOOK_AT) + camera.distance * back
        self._scale = height / camera.span * camera.distance

    def project(self, points_ND: Floats) -> tuple[Floats, Floats, Floats]:
        """Pixel positions (N, 2), nearness (N,; larger is nearer) and pixels per metre (N,)."""
        seen_ND = (np.atleast_2d(points_ND) - self._eye) @ self._axes.T
        depth_N = np.maximum(-seen_ND[:, 2], 0.1)
        scale_N = self._scale / depth_N
        x_N = self.width / 2 + seen_ND[:, 0] * scale_N
        y_N = self.height / 2 - seen_ND[:, 1] * scale_N
        return np.stack([x_N, y_N], axis=-1), -depth_N, scale_N

    def toward_camera(self, point_D: Floats) -> Floats:
        """Unit vector from a point to the camera."""
        offset = self._eye - point_D
        return np.asarray(offset / np.linalg.norm(offset))

    def facing(self, point_D: Floats, normal_D: Floats) -> float:
        """Cosine of the angle between a normal and the direction to the camera."""
        return float(np.dot(self.toward_camera(point_D), normal_D))


@dataclass(slots=True)
class _Shape:
    nearness: float
    outline_N2: Floats
    colour: Colour
    edge: float
    closed: bool = True


@dataclass(slots=True)
class Painter:
    """Collects shapes and paints them from far to near."""

    canvas: Canvas
    _shapes: list[_Shape] = field(default_factory=list)

    def limb(
        self,
        start: Floats,
        end: Floats,
        start_radius: float,
        end_radius: float,
        colour: Colour,
        *,
        ahead: float = 0.0,
    ) -> None:
        """A tapered capsule; `ahead` metres nearer in the order of painting than it is."""
        self.hull([(start, start_radius), (end, end_radius)], colour, ahead=ahead)

    def hull(
        self, balls: Sequence[tuple[Floats, float]], colour: Colour, *, ahead: float = 0.0
    ) -> None:
        """The convex hull of balls, as the camera sees it."""
        centres_N2, near_N, scale_N = self.canvas.project(np.stack([ball[0] for ball in balls]))
        radii_N = np.array([ball[1] for ball in balls]) * scale_N
        rim = (centres_N2[:, None] + radii_N[:, None, None] * _CIRCLE).reshape(-1, 2)
        outline = cv2.convexHull(rim.astype(np.float32))[:, 0].astype(np.float64)
        self._shapes.append(_Shape(float(near_N.mean()) + ahead, outline, colour, OUTLINE))

    def patch(
        self, points: Sequence[Floats], colour: Colour, *, ahead: float = 0.0, edge: float = 1.0
    ) -> None:
        """A filled polygon."""
        pixels_N2, near_N, _ = self.canvas.project(np.stack(points))
        self._shapes.append(_Shape(float(near_N.mean()) + ahead, pixels_N2, colour, edge))

    def line(
        self, points: Sequence[Floats], colour: Colour, thickness: float, *, ahead: float = 0.0
    ) -> None:
        """An open line, `thickness` metres wide."""
        pixels_N2, near_N, scale_N = self.canvas.project(np.stack(points))
        wide = float(thickness * scale_N.mean())
        self._shapes.append(
            _Shape(float(near_N.mean()) + ahead, pixels_N2, colour, wide, closed=False)
        )

    def paint(self, picture_HWC: NDArray[np.uint8]) -> None:
        """Draw everything collected."""
        pen = max(1, round(self.canvas.height / 220))
        for shape in sorted(self._shapes, key=lambda shape: shape.nearness):
            pixels = np.round(shape.outline_N2 * 2**SUBPIXEL_BITS).astype(np.int32)
            if not shape.closed:
                width = max(1, round(shape.edge))
                cv2.polylines(
                    picture_HWC, [pixels], False, shape.colour, width, cv2.LINE_AA, SUBPIXEL_BITS
                )
                continue
            cv2.fillPoly(picture_HWC, [pixels], shape.colour, cv2.LINE_AA, SUBPIXEL_BITS)
            if shape.edge < 1:
                tone = shade(shape.colour, shape.edge)
                cv2.polylines(picture_HWC, [pixels], True, tone, pen, cv2.LINE_AA, SUBPIXEL_BITS)


_ANGLES = np.linspace(0, 2 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)
