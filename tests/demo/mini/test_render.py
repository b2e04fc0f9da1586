"""Pictures: the same in any order, the figure inside, its left on the right, hands in front."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from fmau.demo.mini.canvas import Canvas
from fmau.demo.mini.figure import sample_subject
from fmau.demo.mini.kinematics import Animation, animate, rest_pose
from fmau.demo.mini.plan import ClipPlan
from fmau.demo.mini.pose import skeleton
from fmau.demo.mini.render import render_frames
from tests.demo.mini.figures import CODES, alone, on_head, planned

HEIGHT, WIDTH = 384, 320
EYE_WHITE = (250, 250, 250)


def draw(plan: ClipPlan, animation: Animation, *frames: int) -> np.ndarray:
    return render_frames(plan, animation, frames, height=HEIGHT, width=WIDTH)


def test_any_frame_can_be_drawn_alone() -> None:
    plan = planned("C5")
    animation = animate(plan)
    together = draw(plan, animation, *range(6))
    assert together.shape == (6, HEIGHT, WIDTH, 3)
    assert together.dtype == np.uint8
    np.testing.assert_array_equal(draw(plan, animation, 4, 0, 4), together[[4, 0, 4]])
    np.testing.assert_array_equal(draw(plan, animate(plan), 5)[0], together[5])


def test_sizes_show_the_same_scene() -> None:
    """Twice the size and averaged down differs from the size itself along edges only."""
    plan = planned("E5")
    animation = animate(plan)
    small = draw(plan, animation, 0)[0].astype(float)
    large = render_frames(plan, animation, [0], height=2 * HEIGHT, width=2 * WIDTH)[0]
    averaged = large.reshape(HEIGHT, 2, WIDTH, 2, 3).mean(axis=(1, 3))
    assert np.median(np.abs(averaged - small)) <= 1
    assert np.abs(averaged - small).mean() < 6


def test_only_what_moves_changes_the_picture() -> None:
    plan = alone(planned("C5"))
    event = replace(plan.events[0], onset_s=0.3, end_s=plan.frame_count / 30)
    plan = replace(plan, events=(event,))
    animation = animate(plan)
    first, last = draw(plan, animation, 0, plan.frame_count // 2).astype(int)
    changed_HW = (first != last).any(axis=-1)
    assert 0.005 < changed_HW.mean() < 0.3
    assert not changed_HW[-HEIGHT // 8 :].any(), "the feet keep still"


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_left_hand_is_on_the_right_of_the_picture(side: Literal["left", "right"]) -> None:
    plan = alone(planned("C5", 2))
    event = replace(plan.events[0], side=side)
    plan = replace(plan, events=(event,))
    raised, lowered = animate(plan), animate(replace(plan, events=(replace(event, amplitude=0),)))
    assert raised.skeleton.palm_TSD.shape == lowered.skeleton.palm_TSD.shape
    peak = int(raised.skeleton.palm_TSD[..., 1].max(axis=1).argmax())
    rest = int(raised.skeleton.palm_TSD[..., 1].max(axis=1).argmin())
    at_peak, at_rest = draw(plan, raised, peak, rest).astype(int)
    changed_HW = (at_peak != at_rest).any(axis=-1)[: HEIGHT // 3]
    columns = np.nonzero(changed_HW)[1]
    assert (np.median(columns) > WIDTH / 2) == (side == "left")


def test_people_at_rest_are_inside_the_picture() -> None:
    for seed in range(150):
        rng = np.random.default_rng(seed)
        subject = sample_subject(rng)
        s = skeleton(rest_pose(1, subject, rng), subject)
        canvas = Canvas(subject.camera, HEIGHT, WIDTH)
        crown_D = s.head_TD[0] + np.array([0.0, 0.70 * subject.head, 0.0])
        soles_SD = np.concatenate([s.toe_TSD[0], s.heel_TSD[0]]) - np.array([0.0, 0.036, 0.0])
        pixels_N2, _, _ = canvas.project(np.vstack([crown_D, soles_SD, s.elbow_TSD[0]]))
        assert (pixels_N2 >= 0).all()
        assert (pixels_N2 <= (WIDTH, HEIGHT)).all()


@pytest.mark.parametrize("code", CODES)
def test_people_who_act_are_inside_the_picture(code: str) -> None:
    for seed in range(6):
        plan = planned(code, seed)
        s = animate(plan).skeleton
        canvas = Canvas(plan.subject.camera, HEIGHT, WIDTH)
        joints_TSD = np.concatenate(
            [s.head_TD[:, None], s.wrist_TSD, s.palm_TSD, s.elbow_TSD, s.heel_TSD, s.toe_TSD],
            axis=1,
        )
        pixels_N2, _, _ = canvas.project(joints_TSD.reshape(-1, 3))
        assert (pixels_N2 >= 0).all()
        # Toes that are stretched toward the camera may just leave by the lower edge.
        assert (pixels_N2 <= (WIDTH, 1.02 * HEIGHT)).all()


def eyes_seen(plan: ClipPlan, frame: int) -> float:
    """Eye white in a frame, relative to the first or last one, whichever shows more of it."""
    animation = animate(plan)
    drawn_THWC = draw(plan, animation, 0, plan.frame_count - 1, frame)
    canvas = Canvas(plan.subject.camera, HEIGHT, WIDTH)
    counts = []
    for index, picture_HWC in zip((0, plan.frame_count - 1, frame), drawn_THWC, strict=True):
        middle_N2, _, _ = canvas.project(on_head(plan, animation, 0.0, 0.04, 0.4)[index])
        x, y = middle_N2[0].astype(int)
        face_HWC = picture_HWC[y - 20 : y + 20, x - 25 : x + 25]
        counts.append((face_HWC == EYE_WHITE).all(axis=-1).sum())
    return counts[2] / max(counts[0], counts[1])


def test_hands_are_drawn_before_the_face_and_behind_the_head() -> None:
    """Covering the face hides both eyes, rubbing one of them, reaching behind the head none."""
    for code, least, most in (("F10", 0.0, 0.35), ("F6", 0.3, 0.85), ("F4", 0.7, 1.3)):
        shares = []
        for seed in range(4):
            plan = alone(planned(code, seed))
            plan = replace(plan, subject=replace(plan.subject, glasses=False))
            height_T = animate(plan).skeleton.palm_TSD[..., 1].max(axis=1)
            shares.append(eyes_seen(plan, int(height_T.argmax())))
        assert least <= np.mean(shares) <= most


def test_a_covered_mouth_is_hidden_and_the_eyes_are_not() -> None:
    for seed in range(3):
        plan = alone(planned("F9", seed))
        plan = replace(plan, subject=replace(plan.subject, glasses=False))
        animation = animate(plan)
        mouth_TD = on_head(plan, animation, 0.0, -0.26, 0.40)
        apart_T = np.linalg.norm(animation.skeleton.palm_TSD - mouth_TD[:, None], axis=-1).min(-1)
        peak = int(apart_T.argmin())
        canvas = Canvas(plan.subject.camera, HEIGHT, WIDTH)
        x, y = canvas.project(mouth_TD[peak])[0][0].astype(int)
        lips = np.array([0.80, 0.50, 0.50]) * plan.subject.skin
        nearby = draw(plan, animation, peak)[0][y - 4 : y + 5, x - 4 : x + 5].astype(float)
        assert np.abs(nearby - lips).max(axis=-1).min() > 3, "no lips to be seen"
        assert eyes_seen(plan, peak) > 0.6
