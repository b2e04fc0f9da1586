"""A pose over time, in the terms in which motions are written, and its skeleton.

Motions set angles of trunk and head, points for wrists and ankles, and shapes of the hands; two-bone
inverse kinematics finds elbows and knees. Arrays: T frames, S sides (0 left, 1 right), D axes x, y, z
of the body frame, F fingers (thumb first). `OUT` is the outward sense of x on each side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmau.mini.figure import Subject

Floats = NDArray[np.float64]

OUT = (1.0, -1.0)
LEFT, RIGHT = 0, 1


@dataclass(slots=True)
class Pose:
    """What motions change, frame by frame.

    Attributes:
        root_TD: displacement of the hips, metres.
        lean_TD: trunk angles in radians: forward, toward the subject's left, turn to the left.
        shrug_TS: lift of each shoulder, metres.
        head_TD: head angles relative to the trunk: down, turn to the left, tilt to the left.
        wrist_TSD, ankle_TSD: where wrists and ankles are, as far as the limbs reach.
        elbow_TSD, knee_TSD: directions to which elbows and knees point.
        fingers_TSD: direction in which the fingers point; length 0 follows the lower arm.
        curl_TSF: 0 stretched to 1 bent into the palm.
        spread_TS: 0 fingers together to 1 fanned out.
        palm_up_TS: 0 back of the hand shows to 1 palm shows.
        heel_TS: foot angle in radians, heel above toe positive.
        toe_out_TS: foot angle in radians, toes turned outward positive.
    """

    root_TD: Floats
    lean_TD: Floats
    shrug_TS: Floats
    head_TD: Floats
    wrist_TSD: Floats
    ankle_TSD: Floats
    elbow_TSD: Floats
    knee_TSD: Floats
    fingers_TSD: Floats
    curl_TSF: Floats
    spread_TS: Floats
    palm_up_TS: Floats
    heel_TS: Floats
    toe_out_TS: Floats


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Joints in the body frame, metres, each (T, D) or (T, S, D), and frames of reference.

    Attributes:
        trunk_TDD, head_TDD: rotations; columns are the left, up and forward axes of that part.
        palm_TSD: middle of the palm. fingers_TSD: unit direction of the fingers.
    """

    hips_TD: Floats
    chest_TD: Floats
    neck_TD: Floats
    head_TD: Floats
    trunk_TDD: Floats
    head_TDD: Floats
    shoulder_TSD: Floats
    elbow_TSD: Floats
    wrist_TSD: Floats
    palm_TSD: Floats
    fingers_TSD: Floats
    hip_TSD: Floats
    knee_TSD: Floats
    ankle_TSD: Floats
    heel_TSD: Floats
    toe_TSD: Floats


def rotations(pitch_T: Floats, yaw_T: Floats, roll_T: Floats) -> Floats:
    """Rotation matrices (T, 3, 3): forward by pitch, then tilt left by roll, then turn left by yaw."""
    cp, sp = np.cos(pitch_T), np.sin(pitch_T)
    cy, sy = np.cos(yaw_T), np.sin(yaw_T)
    cr, sr = np.cos(roll_T), np.sin(roll_T)
    zero, one = np.zeros_like(cp), np.ones_like(cp)

    def stack(*rows: list[Floats]) -> Floats:
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

    forward = stack([one, zero, zero], [zero, cp, -sp], [zero, sp, cp])
    turn = stack([cy, zero, sy], [zero, one, zero], [-sy, zero, cy])
    tilt = stack([cr, sr, zero], [-sr, cr, zero], [zero, zero, one])
    return np.asarray(turn @ tilt @ forward)


def trunk_rotation(pose: Pose) -> Floats:
    """Rotation of the trunk."""
    return rotations(pose.lean_TD[:, 0], pose.lean_TD[:, 2], pose.lean_TD[:, 1])


def head_frame(pose: Pose, subject: Subject) -> tuple[Floats, Floats, Floats]:
    """Base of the neck (T, D), middle of the head (T, D) and rotation of the head (T, D, D)."""
    trunk_TDD = trunk_rotation(pose)
    turn = rotations(pose.head_TD[:, 0], pose.head_TD[:, 1], pose.head_TD[:, 2])
    head_TDD = trunk_TDD @ turn
    neck_TD = pose.root_TD + trunk_TDD @ np.array([0.0, subject.trunk, 0.0])
    # The head turns about the top of the spine, so nods and tilts carry it along.
    middle = np.array([0.0, 0.07 + subject.head / 2, 0.03])
    return neck_TD, neck_TD + head_TDD @ middle, head_TDD


def shoulders(pose: Pose, subject: Subject) -> Floats:
    """Shoulder joints (T, S, D)."""
    trunk_TDD = trunk_rotation(pose)
    joints = []
    for side in (LEFT, RIGHT):
        local_TD = np.zeros_like(pose.root_TD)
        local_TD[:, 0] = OUT[side] * subject.shoulder
        local_TD[:, 1] = subject.trunk - 0.05 + pose.shrug_TS[:, side]
        joints.append(pose.root_TD + np.einsum("tij,tj->ti", trunk_TDD, local_TD))
    return np.stack(joints, axis=1)


def two_bones(
    start_TD: Floats, goal_TD: Floats, pole_TD: Floats, first: float, second: float
) -> tuple[Floats, Floats]:
    """Middle joint and end of a limb of two bones that reaches for a goal.

    Args:
        start_TD: where the limb is attached.
        goal_TD: where its end should be; too far or too near, it gets as close as it can.
        pole_TD: direction toward which the middle joint bends.
        first, second: lengths of the bones.
    """
    reach_TD = goal_TD - start_TD
    distance_T = np.linalg.norm(reach_TD, axis=-1)
    along_TD = reach_TD / np.maximum(distance_T, 1e-9)[:, None]
    distance_T = np.clip(distance_T, abs(first - second) + 0.02, first + second - 1e-4)
    cosine_T = (first**2 + distance_T**2 - second**2) / (2 * first * distance_T)
    across_TD = pole_TD - (pole_TD * along_TD).sum(-1, keepdims=True) * along_TD
    across_TD /= np.maximum(np.linalg.norm(across_TD, axis=-1, keepdims=True), 1e-9)
    sine_T = np.sqrt(np.maximum(0.0, 1 - cosine_T**2))
    middle_TD = start_TD + first * (cosine_T[:, None] * along_TD + sine_T[:, None] * across_TD)
    return middle_TD, start_TD + distance_T[:, None] * along_TD


def skeleton(pose: Pose, subject: Subject) -> Skeleton:
    """Find all joints of a pose."""
    trunk_TDD = trunk_rotation(pose)
    neck_TD, head_TD, head_TDD = head_frame(pose, subject)
    shoulder_TSD = shoulders(pose, subject)
    arms = [
        two_bones(
            shoulder_TSD[:, side],
            pose.wrist_TSD[:, side],
            pose.elbow_TSD[:, side],
            subject.upper_arm,
            subject.lower_arm,
        )
        for side in (LEFT, RIGHT)
    ]
    elbow_TSD = np.stack([arm[0] for arm in arms], axis=1)
    wrist_TSD = np.stack([arm[1] for arm in arms], axis=1)
    forearm_TSD = wrist_TSD - elbow_TSD
    forearm_TSD /= np.linalg.norm(forearm_TSD, axis=-1, keepdims=True)
    fingers_TSD = forearm_TSD * 0.3 + pose.fingers_TSD
    fingers_TSD /= np.maximum(np.linalg.norm(fingers_TSD, axis=-1, keepdims=True), 1e-9)
    hip_TSD = np.stack(
        [pose.root_TD + np.array([OUT[side] * subject.hip, 0.0, 0.0]) for side in (LEFT, RIGHT)],
        axis=1,
    )
    legs = [
        two_bones(
            hip_TSD[:, side],
            pose.ankle_TSD[:, side],
            pose.knee_TSD[:, side],
            subject.upper_leg,
            subject.lower_leg,
        )
        for side in (LEFT, RIGHT)
    ]
    ankle_TSD = np.stack([leg[1] for leg in legs], axis=1)
    toward_TSD = np.stack([_foot(pose, side) for side in (LEFT, RIGHT)], axis=1)
    return Skeleton(
        hips_TD=pose.root_TD,
        chest_TD=pose.root_TD + trunk_TDD @ np.array([0.0, subject.trunk / 2, 0.0]),
        neck_TD=neck_TD,
        head_TD=head_TD,
        trunk_TDD=trunk_TDD,
        head_TDD=head_TDD,
        shoulder_TSD=shoulder_TSD,
        elbow_TSD=elbow_TSD,
        wrist_TSD=wrist_TSD,
        palm_TSD=wrist_TSD + 0.3 * subject.hand * fingers_TSD,
        fingers_TSD=fingers_TSD,
        hip_TSD=hip_TSD,
        knee_TSD=np.stack([leg[0] for leg in legs], axis=1),
        ankle_TSD=ankle_TSD,
        heel_TSD=ankle_TSD - 0.25 * subject.foot * toward_TSD + np.array([0.0, -0.04, 0.0]),
        toe_TSD=ankle_TSD + 0.75 * subject.foot * toward_TSD + np.array([0.0, -0.04, 0.0]),
    )


def _foot(pose: Pose, side: int) -> Floats:
    """Unit direction from heel to toe (T, D)."""
    heel_T, out_T = pose.heel_TS[:, side], pose.toe_out_TS[:, side]
    return np.stack(
        [
            OUT[side] * np.sin(out_T) * np.cos(heel_T),
            -np.sin(heel_T),
            np.cos(out_T) * np.cos(heel_T),
        ],
        axis=-1,
    )
