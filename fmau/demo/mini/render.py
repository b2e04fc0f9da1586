"""Draws a clip's frames: a shaded figure of tapered limbs on a chair in a room.

Coordinates: body frame in metres to pixels by a pinhole camera; OpenCV draws with anti-aliasing and
sub-pixel positions. Any frame can be drawn alone, and equal plans give equal pixels.

Axes: T frames, H height, W width, C red-green-blue; N points, D axes of the body frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmau.demo.mini import face
from fmau.demo.mini.canvas import Canvas, Painter, shade
from fmau.demo.mini.figure import Colour, Subject
from fmau.demo.mini.kinematics import Animation
from fmau.demo.mini.plan import ClipPlan
from fmau.demo.mini.pose import LEFT, OUT, RIGHT
from fmau.demo.mini.scenery import draw_chair, draw_room

FINGER_SHARE = (0.46, 0.60, 0.66, 0.62, 0.50)
"""Length of each finger, thumb first, in hand lengths."""


def render_frames(
    plan: ClipPlan,
    animation: Animation,
    frame_indices: Sequence[int],
    *,
    height: int,
    width: int,
) -> NDArray[np.uint8]:
    """Draw the chosen frames.

    Args:
        plan: gives subject and camera.
        animation: of the same plan.
        frame_indices: which frames, in any order, repeats allowed.
        height, width: of the picture in pixels.

    Returns:
        pixels_THWC, RGB.
    """
    canvas = Canvas(plan.subject.camera, height, width)
    background_HWC = np.empty((height, width, 3), np.uint8)
    draw_room(background_HWC, plan.subject, canvas)
    draw_chair(background_HWC, plan.subject, canvas)
    frames = []
    for index in frame_indices:
        picture_HWC = background_HWC.copy()
        _Figure(plan.subject, animation, index, canvas).draw(picture_HWC)
        frames.append(picture_HWC)
    return np.stack(frames)


@dataclass(slots=True)
class _Figure:
    subject: Subject
    animation: Animation
    index: int
    canvas: Canvas

    def draw(self, picture_HWC: NDArray[np.uint8]) -> None:
        painter = Painter(self.canvas)
        self._legs(painter)
        self._trunk(painter)
        self._head(painter)
        for side in (LEFT, RIGHT):
            self._arm(painter, side)
        painter.paint(picture_HWC)

    def _legs(self, painter: Painter) -> None:
        s, subject, i = self.animation.skeleton, self.subject, self.index
        g = subject.girth
        for side in (LEFT, RIGHT):
            hip, knee, ankle = s.hip_TSD[i, side], s.knee_TSD[i, side], s.ankle_TSD[i, side]
            tint = shade(subject.trousers, 1.0 if side == LEFT else 0.93)
            painter.limb(hip, knee, 0.085 * g, 0.066 * g, tint)
            painter.limb(knee, ankle, 0.062 * g, 0.042 * g, tint)
            heel, toe = s.heel_TSD[i, side], s.toe_TSD[i, side]
            painter.limb(heel, toe, 0.042, 0.036, subject.shoes)
            sole = np.array([0.0, -0.025, 0.0])
            painter.limb(
                heel + sole, toe + sole, 0.020, 0.018, shade(subject.shoes, 0.55), ahead=-0.01
            )

    def _trunk(self, painter: Painter) -> None:
        s, subject, i = self.animation.skeleton, self.subject, self.index
        g, turn = subject.girth, s.trunk_TDD[i]
        base = s.hips_TD[i]

        def at(x: float, y: float, z: float = 0.0) -> NDArray[np.float64]:
            return np.asarray(base + turn @ np.array([x, y * subject.trunk, z]))

        left, right = s.shoulder_TSD[i, LEFT], s.shoulder_TSD[i, RIGHT]
        painter.hull(
            [
                (at(subject.hip, 0.0), 0.085 * g),
                (at(-subject.hip, 0.0), 0.085 * g),
                (at(0.105 * g, 0.45), 0.075 * g),
                (at(-0.105 * g, 0.45), 0.075 * g),
                (left, 0.055 * g),
                (right, 0.055 * g),
                (at(0.05, 1.02), 0.035),
                (at(-0.05, 1.02), 0.035),
            ],
            subject.shirt,
        )
        # A placket and a collar show which way the trunk faces.
        front = [at(0.0, y, 0.10 * g) for y in (0.12, 0.35, 0.6, 0.85, 0.98)]
        if (self.canvas.facing(base, turn[:, 2])) > 0.15:
            painter.line(front, shade(subject.shirt, 0.72), 0.008, ahead=0.12)
        neck_top = s.neck_TD[i] + 0.35 * (s.head_TD[i] - s.neck_TD[i])
        painter.limb(
            s.neck_TD[i] - turn[:, 1] * 0.01, neck_top, 0.052, 0.046, shade(subject.skin, 0.9)
        )

    def _head(self, painter: Painter) -> None:
        s, i = self.animation.skeleton, self.index
        face.draw_head(painter, self.subject, s.head_TD[i], s.head_TDD[i])

    def _arm(self, painter: Painter, side: int) -> None:
        s, subject, i = self.animation.skeleton, self.subject, self.index
        g = subject.girth
        shoulder, elbow = s.shoulder_TSD[i, side], s.elbow_TSD[i, side]
        wrist = s.wrist_TSD[i, side]
        sleeve = shade(subject.shirt, 0.90 if side == LEFT else 0.84)
        painter.limb(shoulder, elbow, 0.056 * g, 0.044 * g, sleeve, ahead=0.03)
        end = elbow + max(subject.sleeves, 0.02) * (wrist - elbow)
        if subject.sleeves < 1:
            painter.limb(elbow, wrist, 0.038 * g, 0.030, shade(subject.skin, 0.97), ahead=0.035)
        painter.limb(elbow, end, 0.044 * g, 0.038 * g, sleeve, ahead=0.04)
        self._hand(painter, side)

    def _hand(self, painter: Painter, side: int) -> None:
        s, pose, subject, i = self.animation.skeleton, self.animation.pose, self.subject, self.index
        along = s.fingers_TSD[i, side]
        wrist = s.wrist_TSD[i, side]
        view = self.canvas.toward_camera(wrist)
        # The hand is drawn facing the camera: across is the direction of the knuckles.
        across = np.cross(along, view)
        across = across / max(float(np.linalg.norm(across)), 1e-6)
        thumb = -OUT[side]
        if np.dot(across, np.array([thumb, 0.35, 0.0])) < 0:
            across = -across
        showing_palm = float(pose.palm_up_TS[i, side]) > 0.5
        skin = shade(subject.skin, 1.06 if showing_palm else 0.96)
        length = subject.hand
        knuckles = wrist + 0.45 * length * along
        painter.limb(wrist, knuckles, 0.034, 0.044, skin, ahead=0.07)
        spread = float(pose.spread_TS[i, side])
        for finger in range(5):
            curl = float(pose.curl_TSF[i, side, finger])
            self._finger(painter, finger, curl, spread, wrist, along, across, skin)
        if self.animation.object_side == side:
            tip = knuckles + 0.12 * length * along
            turn = 0.11 * (across + 0.5 * along)
            painter.limb(tip - turn, tip + turn, 0.014, 0.014, (235, 190, 40), ahead=0.12)

    def _finger(
        self,
        painter: Painter,
        finger: int,
        curl: float,
        spread: float,
        wrist: NDArray[np.float64],
        along: NDArray[np.float64],
        across: NDArray[np.float64],
        skin: Colour,
    ) -> None:
        length = self.subject.hand
        if finger == 0:
            root = wrist + 0.18 * length * along + 0.034 * across
            direction = along * 0.55 + across * (0.85 - 0.9 * curl)
        else:
            offset = (2.5 - finger) * 0.021
            root = wrist + 0.45 * length * along + offset * across
            direction = along + across * (2.5 - finger) * 0.22 * spread * (1 - curl)
        direction = direction / np.linalg.norm(direction)
        reach = FINGER_SHARE[finger] * length * 0.85 * (1 - 0.72 * curl)
        tone = shade(skin, 1.0 - 0.10 * curl - (0.04 if finger % 2 else 0.0))
        painter.limb(root, root + reach * direction, 0.0145, 0.0115, tone, ahead=0.075)
