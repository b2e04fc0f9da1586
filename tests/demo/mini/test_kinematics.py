"""Animated clips: rigid bones, no jumps, nothing left to chance."""

from dataclasses import replace

import numpy as np
import pytest

from fmau.demo.mini import kinematics
from fmau.demo.mini.kinematics import animate, ramp, rest_pose
from fmau.demo.mini.plan import BODY_PARTS
from fmau.demo.mini.pose import skeleton
from tests.demo.mini.figures import CODES, extents, planned


@pytest.mark.parametrize("code", CODES)
def test_bones_are_rigid(code: str) -> None:
    for seed in range(3):
        plan = planned(code, seed)
        s, subject = animate(plan).skeleton, plan.subject
        for start_TSD, end_TSD, length in (
            (s.shoulder_TSD, s.elbow_TSD, subject.upper_arm),
            (s.elbow_TSD, s.wrist_TSD, subject.lower_arm),
            (s.hip_TSD, s.knee_TSD, subject.upper_leg),
            (s.knee_TSD, s.ankle_TSD, subject.lower_leg),
            (s.heel_TSD, s.toe_TSD, subject.foot),
            (s.hip_TSD[:, :1], s.hip_TSD[:, 1:], 2 * subject.hip),
            (s.hips_TD, s.neck_TD, subject.trunk),
        ):
            np.testing.assert_allclose(np.linalg.norm(end_TSD - start_TSD, axis=-1), length)
        np.testing.assert_allclose(np.linalg.norm(s.fingers_TSD, axis=-1), 1)
        for turn_TDD in (s.trunk_TDD, s.head_TDD):
            np.testing.assert_allclose(
                turn_TDD @ turn_TDD.swapaxes(1, 2), np.tile(np.eye(3), (plan.frame_count, 1, 1)),
                atol=1e-9,
            )  # fmt: skip
            np.testing.assert_allclose(np.linalg.det(turn_TDD), 1)


@pytest.mark.parametrize("code", CODES)
def test_nothing_jumps(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen eight times as often, everything moves an eighth as far: no limb flips over."""
    plan = planned(code, 1)
    # Knees and elbows of stretched limbs are the fastest things there are.
    fastest_m_per_s = 8.0
    monkeypatch.setattr(kinematics, "FPS", 240)
    s = animate(replace(plan, frame_count=8 * plan.frame_count)).skeleton
    for track in (s.head_TD, s.elbow_TSD, s.palm_TSD, s.knee_TSD, s.heel_TSD, s.toe_TSD):
        assert np.linalg.norm(np.diff(track, axis=0), axis=-1).max() < fastest_m_per_s / 240


def test_equal_plans_give_equal_motion() -> None:
    plan = planned("C5")
    first, second = animate(plan).motion, animate(plan).motion
    np.testing.assert_array_equal(first.positions_TPD, second.positions_TPD)
    assert first.positions_TPD.shape == (plan.frame_count, len(BODY_PARTS), 3)
    assert first.positions_TPD.dtype == np.float32
    other = animate(replace(plan, seed=plan.seed + 1)).motion
    assert not np.array_equal(first.positions_TPD, other.positions_TPD)


def test_part_centres_are_where_the_names_say() -> None:
    """Left is plus x; limbs go down from the shoulder and forward from the hip."""
    plan = planned("B1")
    at = dict(zip(BODY_PARTS, animate(plan).motion.positions_TPD[0], strict=True))
    for part in ("upper arm", "hand", "upper leg", "lower leg", "foot"):
        assert at[f"left {part}"][0] > 0 > at[f"right {part}"][0]
    assert at["head"][1] > at["torso"][1] > at["left upper leg"][1] > at["left foot"][1]
    assert at["left foot"][2] > at["left upper leg"][2] > at["torso"][2]


def test_idle_sway_is_small() -> None:
    """A drift of no size leaves nothing but breathing and balance."""
    for seed in range(5):
        plan = planned("B1", seed)
        still = replace(plan.events[0], code="drift:hand", amplitude=0.0)
        assert max(extents(replace(plan, events=(still,))).values()) < 0.02


def test_resting_limbs_reach_what_they_rest_on() -> None:
    """Wrists on thighs and ankles on the floor are within reach, so no limb is overstretched."""
    for seed in range(20):
        subject = planned("A1", seed).subject
        pose = rest_pose(1, subject, np.random.default_rng(seed))
        s = skeleton(pose, subject)
        np.testing.assert_allclose(s.wrist_TSD, pose.wrist_TSD, atol=1e-6)
        np.testing.assert_allclose(s.ankle_TSD, pose.ankle_TSD, atol=1e-6)


def test_ramp_is_minimum_jerk() -> None:
    """Flash and Hogan: rest at both ends, peak speed 15/8 of the mean in the middle."""
    share = np.linspace(0, 1, 100001)
    value = ramp(share)
    speed = np.gradient(value, share)
    assert value[[0, -1]].tolist() == [0.0, 1.0]
    assert speed[[0, -1]] == pytest.approx(0, abs=1e-4)
    assert speed.max() == pytest.approx(15 / 8, rel=1e-6)
    assert share[speed.argmax()] == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_allclose(value + value[::-1], 1)
    assert ramp(np.array([-3.0, 4.0])).tolist() == [0.0, 1.0]
