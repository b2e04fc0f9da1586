"""Draws room and chair; once per clip, because nothing in them moves."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fmau.demo.mini.canvas import Canvas, Painter, shade
from fmau.demo.mini.figure import Subject

Pixels = NDArray[np.uint8]


def draw_room(picture_HWC: Pixels, subject: Subject, canvas: Canvas) -> None:
    """Wall with its decor, skirting board and floor, filling the whole picture."""
    height = canvas.height
    fall_H11 = np.linspace(1.04, 0.92, height)[:, None, None]
    picture_HWC[:] = np.clip(np.array(subject.wall) * fall_H11, 0, 255).astype(np.uint8)
    corner_N2, _, _ = canvas.project(np.array([[0.0, -subject.lower_leg - 0.06, -0.75]]))
    floor = int(np.clip(corner_N2[0, 1], 0.5 * height, height - 1))
    _decor(picture_HWC, subject, floor)
    picture_HWC[floor:] = subject.floor
    picture_HWC[max(0, floor - height // 40) : floor] = shade(subject.wall, 0.7)


def _decor(picture_HWC: Pixels, subject: Subject, floor: int) -> None:
    height, width, _ = picture_HWC.shape
    # Left or right of the head, by something that differs between people.
    x = int(width * (0.06 if subject.wall[0] % 2 else 0.70))
    if subject.decor == 1:
        box = (x, int(0.10 * height)), (x + int(0.24 * width), int(0.30 * height))
        cv2.rectangle(picture_HWC, *box, shade(subject.shirt, 0.6), -1)
        cv2.rectangle(picture_HWC, *box, (90, 70, 50), max(2, width // 100))
    elif subject.decor == 2:
        box = (x, int(0.05 * height)), (x + int(0.26 * width), int(0.42 * height))
        cv2.rectangle(picture_HWC, *box, (198, 222, 240), -1)
        cv2.rectangle(picture_HWC, *box, (245, 245, 245), max(2, width // 70))
    elif subject.decor == 3:
        for level in (0.18, 0.34, 0.50):
            y = int(level * height)
            cv2.rectangle(
                picture_HWC, (x, y), (x + int(0.26 * width), y + height // 60), (110, 85, 60), -1
            )
            for book in range(4):
                left = x + int((0.02 + 0.05 * book) * width)
                tone = shade(subject.trousers, 0.7 + 0.25 * book)
                top = y - int((0.07 + 0.015 * (book % 2)) * height)
                cv2.rectangle(picture_HWC, (left, top), (left + int(0.04 * width), y), tone, -1)


def draw_chair(picture_HWC: Pixels, subject: Subject, canvas: Canvas) -> None:
    """A chair with seat, legs and backrest, in the body frame."""
    painter = Painter(canvas)
    wood, dark = subject.chair, shade(subject.chair, 0.75)
    half, seat, floor = 0.24, -0.10, -subject.lower_leg - 0.06

    def point(x: float, y: float, z: float) -> NDArray[np.float64]:
        return np.array([x, y, z])

    for x in (-half, half):
        for z in (-0.18, 0.24):
            painter.limb(point(x, seat, z), point(x, floor, z), 0.02, 0.016, dark)
        painter.limb(point(x * 0.9, seat, -0.2), point(x * 0.85, 0.42, -0.24), 0.022, 0.02, dark)
    back = [point(x, y, -0.22) for x, y in ((-0.2, 0.14), (0.2, 0.14), (0.2, 0.44), (-0.2, 0.44))]
    painter.patch(back, wood, edge=0.7)
    top = [point(x, seat, z) for x, z in ((-half, -0.2), (half, -0.2), (half, 0.26), (-half, 0.26))]
    painter.patch(top, wood, edge=0.7, ahead=0.2)
    painter.paint(picture_HWC)
