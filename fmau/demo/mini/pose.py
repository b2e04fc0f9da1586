"""A pose over time, as motions set it, and the skeleton computed from it.

Motions set angles of trunk and head, positions of wrists and ankles, and shapes of the hands.
Inverse kinematics of two bones finds elbows and knees.

Arrays: T frames, S sides (0 left, 1 right), D axes x, y, z of the body frame, F fingers (thumb
first). `OUT` is the outward sense of x on each side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmau.demo.mini.figure import Subject

Floats = NDArray[np.float64]

LEFT, RIGHT = 0, 1
OUT = np.array([1.0, -1.0])


@dataclass(slots=True)
class Pose:
    """The values that motions change in each frame.

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
    """Rotation matrices (T, 3, 3): forward by pitch, tilted left by roll, then turned left by yaw.

    Angles are in radians; rotations apply in that order to vectors of the body frame.
    """
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
    local_TSD = np.zeros_like(pose.wrist_TSD)
    local_TSD[..., 0] = np.multiply(OUT, subject.shoulder)
    local_TSD[..., 1] = subject.trunk - 0.05 + pose.shrug_TS
    turned_TSD = np.einsum("tij,tsj->tsi", trunk_rotation(pose), local_TSD)
    return np.asarray(pose.root_TD[:, None] + turned_TSD)


def hips(pose: Pose, subject: Subject) -> Floats:
    """Hip joints (T, S, D)."""
    apart_SD = np.outer(OUT, (subject.hip, 0.0, 0.0))
    return np.asarray(pose.root_TD[:, None] + apart_SD)


def two_bones(
    start_ND: Floats, goal_ND: Floats, pole_ND: Floats, first: float, second: float
) -> tuple[Floats, Floats]:
    """Middle joints and ends of limbs of two bones that reach for goals, by the law of cosines.

    Args:
        start_ND: where the limbs are attached; N stands for any leading axes.
        goal_ND: where the ends should be; too far or too near, they get as close as they can.
        pole_ND: directions toward which the middle joints bend.
        first, second: lengths of the bones, metres.
    """
    reach_ND = goal_ND - start_ND
    distance_N1 = np.linalg.norm(reach_ND, axis=-1, keepdims=True)
    along_ND = reach_ND / np.maximum(distance_N1, 1e-9)
    # Neither quite folded nor quite stretched, or the direction of the bend would be undefined.
    distance_N1 = np.clip(distance_N1, abs(first - second) + 0.02, first + second - 1e-4)
    cosine_N1 = (first**2 + distance_N1**2 - second**2) / (2 * first * distance_N1)
    across_ND = _unit(pole_ND - (pole_ND * along_ND).sum(-1, keepdims=True) * along_ND)
    sine_N1 = np.sqrt(np.maximum(0.0, 1 - cosine_N1**2))
    middle_ND = start_ND + first * (cosine_N1 * along_ND + sine_N1 * across_ND)
    return middle_ND, start_ND + distance_N1 * along_ND


def skeleton(pose: Pose, subject: Subject) -> Skeleton:
    """Find all joints of a pose."""
    trunk_TDD = trunk_rotation(pose)
    neck_TD, head_TD, head_TDD = head_frame(pose, subject)
    shoulder_TSD, hip_TSD = shoulders(pose, subject), hips(pose, subject)
    elbow_TSD, wrist_TSD = two_bones(
        shoulder_TSD, pose.wrist_TSD, pose.elbow_TSD, subject.upper_arm, subject.lower_arm
    )
    knee_TSD, ankle_TSD = two_bones(
        hip_TSD, pose.ankle_TSD, pose.knee_TSD, subject.upper_leg, subject.lower_leg
    )
    # Even a hand with a direction of its own gives way a little to the lower arm.
    fingers_TSD = _unit(0.3 * _unit(wrist_TSD - elbow_TSD) + pose.fingers_TSD)
    foot_TSD, sole_D = subject.foot * _toward_toes(pose), np.array([0.0, -0.04, 0.0])
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
        knee_TSD=knee_TSD,
        ankle_TSD=ankle_TSD,
        heel_TSD=ankle_TSD - 0.25 * foot_TSD + sole_D,
        toe_TSD=ankle_TSD + 0.75 * foot_TSD + sole_D,
    )


def _toward_toes(pose: Pose) -> Floats:
    """Unit directions from heel to toe (T, S, D)."""
    lowered_TS = np.cos(pose.heel_TS)
    return np.stack(
        [
            OUT * np.sin(pose.toe_out_TS) * lowered_TS,
            -np.sin(pose.heel_TS),
            np.cos(pose.toe_out_TS) * lowered_TS,
        ],
        axis=-1,
    )


def _unit(vectors_ND: Floats) -> Floats:
    """The same directions at length 1; a zero vector stays zero."""
    lengths_N1 = np.linalg.norm(vectors_ND, axis=-1, keepdims=True)
    return np.asarray(vectors_ND / np.maximum(lengths_N1, 1e-9))
