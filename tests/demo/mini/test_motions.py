"""What the programmes do: the right part moves, hands arrive where they should, sides mirror.

Landmarks are found from joints and from where the face is drawn, not from the tables of `act`.
"""

from dataclasses import replace

import numpy as np
import pytest

from fmau.demo.mini.casting import SYMMETRIC
from fmau.demo.mini.kinematics import animate, rest_pose
from fmau.demo.mini.motions import play
from fmau.demo.mini.motions.act import Act
from fmau.demo.mini.plan import ClipPlan
from fmau.demo.mini.pose import Pose, Skeleton, skeleton
from tests.demo.mini.figures import (
    CODES,
    SIDE_INDEX,
    Floats,
    alone,
    extents,
    on_head,
    planned,
    to_segment,
)

MIRROR = np.array([-1.0, 1.0, 1.0])
SEEDS = range(3)

FACE = {  # on the left side of the face, in head heights, where `face` draws it
    "F1": (0.0, -0.09, 0.53),
    "F2": (0.28, -0.20, 0.30),
    "F5": (0.27, 0.04, 0.36),
    "F6": (0.155, 0.04, 0.42),
    "F7": (0.0, 0.28, 0.38),
    "F8": (0.38, -0.02, -0.02),
    "F9": (0.0, -0.26, 0.40),
}


def both(plan: ClipPlan) -> tuple[int, int]:
    """Indices of the acting side and of the other."""
    acting = SIDE_INDEX[plan.events[0].side]
    return acting, 1 - acting


def hand(plan: ClipPlan, side: int) -> tuple[Floats, Floats]:
    """From the middle of the palm to the fingertips, two points (T, D)."""
    s = animate(plan).skeleton
    wrist_TD, along_TD = s.wrist_TSD[:, side], plan.subject.hand * s.fingers_TSD[:, side]
    return wrist_TD + 0.3 * along_TD, wrist_TD + along_TD


@pytest.mark.parametrize("code", CODES)
def test_the_group_moves_what_it_is_named_for(code: str) -> None:
    for seed in SEEDS:
        far = extents(alone(planned(code, seed)))
        tips = max(far["left fingertips"], far["right fingertips"])
        feet = max(v for k, v in far.items() if k.endswith(("knee", "heel", "toes")))
        shoulders = max(far["left shoulder"], far["right shoulder"])
        if code[0] == "A":
            assert shoulders > 0.05
            assert max(far["left toes"], far["right toes"]) < 0.01
        elif code[0] == "B":
            assert far["nose"] > 0.06
            assert far["nose"] > 3 * max(tips, feet, shoulders)
        elif code[0] == "D":
            assert feet > 0.06
            assert feet > 3 * max(tips, far["nose"])
        else:
            assert tips > 0.12
            # Scratching a calf or a foot takes the whole trunk down.
            assert code in ("G3", "G4") or tips > 2 * max(far["nose"], feet)


@pytest.mark.parametrize("code", FACE)
def test_hands_reach_their_place_on_the_head(code: str) -> None:
    for seed in SEEDS:
        plan = alone(planned(code, seed))
        side, _ = both(plan)
        x, y, z = FACE[code]
        place_TD = on_head(plan, animate(plan), x if side == 0 else -x, y, z)
        apart_T = to_segment(place_TD, *hand(plan, side))
        # About the thickness of a hand; the rest of the clip it is elsewhere.
        assert apart_T.min() < 0.05
        assert apart_T.max() > 0.3


def test_hands_reach_the_hair_and_the_back_of_the_head() -> None:
    for seed in SEEDS:
        for code, (low, high), (behind, before) in (
            ("F3", (0.3, 0.7), (-0.3, 0.5)),
            ("F4", (-0.3, 0.4), (-0.8, -0.3)),
        ):
            plan = alone(planned(code, seed))
            s = animate(plan).skeleton
            palm_TD = s.palm_TSD[:, both(plan)[0]]
            held = np.linalg.norm(palm_TD, axis=-1).argmax()
            local_D = s.head_TDD[held].T @ (palm_TD[held] - s.head_TD[held])
            _, up, forward = local_D / plan.subject.head
            assert low < up < high
            assert behind < forward < before


def test_both_hands_cover_the_upper_face_only() -> None:
    for seed in SEEDS:
        plan = alone(planned("F10", seed))
        animation = animate(plan)
        for side, x in ((0, 0.155), (1, -0.155)):
            eye_TD = on_head(plan, animation, x, 0.04, 0.42)
            assert to_segment(eye_TD, *hand(plan, side)).min() < 0.06


@pytest.mark.parametrize("code", ["E1", "E2", "E3", "E6"])
def test_hands_reach_their_place_on_the_trunk(code: str) -> None:
    for seed in SEEDS:
        plan = alone(planned(code, seed))
        side, other = both(plan)
        s, subject = animate(plan).skeleton, plan.subject
        forward_TD = s.trunk_TDD[:, :, 2]
        place_TD, tolerance = {
            "E1": (s.hips_TD + 0.75 * (s.neck_TD - s.hips_TD) + 0.12 * forward_TD, 0.08),
            "E2": (s.neck_TD, 0.12),
            "E3": (s.chest_TD - 0.12 * forward_TD, 0.12),
            "E6": (s.shoulder_TSD[:, other], 0.12),
        }[code]
        palm_TD, tips_TD = hand(plan, side)
        apart_T = to_segment(place_TD, palm_TD, tips_TD)
        assert apart_T.min() < tolerance
        if code == "E3":
            behind_T = ((tips_TD - s.chest_TD) * forward_TD).sum(-1)
            assert behind_T[apart_T.argmin()] < -0.1
        assert subject.trunk > tolerance


def test_arms_meet_the_trunk() -> None:
    for seed in SEEDS:
        akimbo, crossed = (animate(alone(planned(code, seed))).skeleton for code in ("E4", "E5"))
        for side in (0, 1):
            waist_TD = akimbo.hip_TSD[:, side] + np.array([0.0, 0.08, 0.0])
            apart_T = np.linalg.norm(akimbo.palm_TSD[:, side] - waist_TD, axis=-1)
            assert apart_T.min() < 0.15
            elbow_TD = akimbo.elbow_TSD[apart_T.argmin(), side]
            assert abs(elbow_TD[0]) > abs(akimbo.shoulder_TSD[apart_T.argmin(), side, 0])
            other = 1 - side
            arm = crossed.shoulder_TSD[:, other], crossed.elbow_TSD[:, other]
            assert to_segment(crossed.palm_TSD[:, side], *arm).min() < 0.2


@pytest.mark.parametrize("code", ["G1", "G2", "G3", "G4"])
def test_hands_reach_the_leg(code: str) -> None:
    for seed in SEEDS:
        plan = alone(planned(code, seed))
        side, _ = both(plan)
        s = animate(plan).skeleton
        bone = {
            "G3": (s.knee_TSD[:, side], s.ankle_TSD[:, side]),
            "G4": (s.heel_TSD[:, side], s.toe_TSD[:, side]),
        }.get(code, (s.hip_TSD[:, side], s.knee_TSD[:, side]))
        # A palm lies on the thigh, whose flesh is 9 cm thick; fingertips scratch.
        touching_TD = hand(plan, side)[0 if code in ("G1", "G2") else 1]
        assert to_segment(touching_TD, *bone).min() < 0.12


@pytest.mark.parametrize("code", ["C3", "C9", "C13"])
def test_hands_meet(code: str) -> None:
    for seed in SEEDS:
        plan = alone(planned(code, seed))
        (left_palm, left_tip), (right_palm, right_tip) = hand(plan, 0), hand(plan, 1)
        meeting_T = np.linalg.norm((left_palm + left_tip - right_palm - right_tip) / 2, axis=-1)
        assert meeting_T.min() < 0.13


def test_a_hand_scratches_the_other_arm() -> None:
    for seed in SEEDS:
        plan = alone(planned("C6", seed))
        side, other = both(plan)
        s = animate(plan).skeleton
        lower_arm = s.elbow_TSD[:, other], s.wrist_TSD[:, other]
        assert to_segment(hand(plan, side)[1], *lower_arm).min() < 0.08


def test_stretching_and_retracting_are_opposites() -> None:
    """Both reach into the air, but one begins there and ends on the lap."""
    for seed in range(8):
        for code in ("C4", "C10"):
            plan = alone(planned(code, seed))
            side, _ = both(plan)
            s = animate(plan).skeleton
            thigh = s.hip_TSD[:, side], s.knee_TSD[:, side]
            away_T = to_segment(s.palm_TSD[:, side], *thigh)
            resting = 0 if code == "C4" else -1
            assert away_T[resting] < 0.22
            assert away_T.max() > 0.4
            if code == "C10":
                assert away_T[0] == pytest.approx(away_T.max(), abs=0.02)


def test_a_fist_closes_and_fingers_wiggle() -> None:
    for seed in SEEDS:
        plan = alone(planned("C12", seed))
        curl_TF = animate(plan).pose.curl_TSF[:, both(plan)[0]]
        assert curl_TF.mean(-1).max() > 0.9 > 0.4 > curl_TF.mean(-1)[0]
        plan = alone(planned("C2", seed))
        curl_TF = animate(plan).pose.curl_TSF[:, both(plan)[0]]
        assert (np.ptp(curl_TF, axis=0) > 0.4).all()


@pytest.mark.parametrize("code", sorted(set(CODES) - SYMMETRIC))
def test_sides_are_mirror_images(code: str) -> None:
    """Played from the same rest with the same dice, left and right mirror each other."""
    left, right = (played(code, side) for side in (0, 1))
    for name in ("elbow_TSD", "palm_TSD", "knee_TSD", "toe_TSD"):
        mirrored_TSD = getattr(left, name)[:, ::-1] * MIRROR
        np.testing.assert_allclose(getattr(right, name), mirrored_TSD, atol=1e-9)
    np.testing.assert_allclose(right.head_TD, left.head_TD * MIRROR, atol=1e-9)


def played(code: str, side: int) -> Skeleton:
    """The skeleton of an action played into a symmetric rest pose."""
    subject = planned(code).subject
    pose = symmetric(rest_pose(31, subject, np.random.default_rng(0)))
    time_T = np.linspace(0, 1, 31)
    level_T, beat_T = np.sin(np.pi * time_T), np.sin(6 * np.pi * time_T)
    play(code, Act(pose, subject, time_T, level_T, beat_T, side, 1.1, np.random.default_rng(4)))
    return skeleton(pose, subject)


def symmetric(pose: Pose) -> Pose:
    """The pose with its right side made like its left."""
    for name in ("wrist_TSD", "ankle_TSD", "elbow_TSD", "knee_TSD", "fingers_TSD"):
        getattr(pose, name)[:, 1] = getattr(pose, name)[:, 0] * MIRROR
    for name in ("shrug_TS", "curl_TSF", "spread_TS", "heel_TS", "toe_out_TS"):
        getattr(pose, name)[:, 1] = getattr(pose, name)[:, 0]
    pose.lean_TD[:, 1:] = 0
    pose.head_TD[:, 1:] = 0
    return pose


def test_larger_amplitudes_move_farther() -> None:
    for code in ("A4", "B4", "D3", "D4"):
        plan = alone(planned(code))
        slight, strong = (
            extents(replace(plan, events=(replace(plan.events[0], amplitude=size),)))
            for size in (0.7, 1.3)
        )
        assert max(strong.values()) > 1.2 * max(slight.values())
