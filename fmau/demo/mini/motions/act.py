"""The input of a motion programme (`Act`), and the basic moves that most programmes use.

Array suffixes as in `fmau.demo.mini.pose`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fmau.demo.mini.figure import Subject
from fmau.demo.mini.pose import OUT, Pose, head_frame, hips, trunk_rotation, two_bones

Floats = NDArray[np.float64]
Vector = tuple[float, float, float]

HEAD_MARKS: dict[str, Vector] = {
    "nose": (0.0, -0.08, 0.52),
    "cheek": (0.34, -0.16, 0.36),
    "eye": (0.18, 0.07, 0.46),
    "glasses": (0.36, 0.08, 0.36),
    "forehead": (0.06, 0.30, 0.44),
    "mouth": (0.0, -0.40, 0.46),
    "face": (0.12, 0.10, 0.52),
    "ear": (0.46, -0.02, 0.02),
    "hair": (0.34, 0.46, 0.08),
    "hindbrain": (0.26, 0.06, -0.46),
}
"""Places on the head, on the left side, in head heights from its middle: left, up, forward."""

TRUNK_MARKS: dict[str, Vector] = {
    "chest": (0.02, 0.74, 0.30),
    "neck": (0.15, 1.08, 0.12),
    "back": (0.10, 0.45, -0.34),
    "waist": (0.42, 0.22, 0.04),
    "shoulder": (0.40, 0.94, 0.16),
}
"""Places on the trunk, likewise, in trunk lengths from the hips."""

PALM, FINGERTIPS = 0.45, 0.95
"""The touching point: its distance from the wrist along the fingers, in hand lengths."""


@dataclass(slots=True)
class Act:
    """One event and the pose to which its motion is added.

    Attributes:
        pose: the pose to change. subject: the person.
        seconds_T: time from the clip's start.
        level_T: progress of the action: 0 before it, 1 at its height, 0 after the way back.
        beat_T: -1 to 1, the back and forth of repeated actions, 0 outside the event.
        side: 0 left, 1 right: the limb or direction that acts.
        amplitude: about 1.
        rng: for the details that differ from clip to clip.
    """

    pose: Pose
    subject: Subject
    seconds_T: Floats
    level_T: Floats
    beat_T: Floats
    side: int
    amplitude: float
    rng: Generator

    @property
    def out(self) -> float:
        """+1 for the left side, -1 for the right: the outward sense of x."""
        return float(OUT[self.side])

    @property
    def other(self) -> int:
        """The side that does not act."""
        return 1 - self.side


def mirrored(vector: Vector, side: int) -> Floats:
    """A vector (D,) given for the left side of the body, on this side."""
    return np.array([OUT[side], 1.0, 1.0]) * vector


def mark(act: Act, name: str, side: int | None = None) -> Floats:
    """Where a place on head or trunk is in every frame (T, D).

    Args:
        side: on which side of the body; by default the acting one.
    """
    side = act.side if side is None else side
    if name in HEAD_MARKS:
        _, middle_TD, head_TDD = head_frame(act.pose, act.subject)
        return middle_TD + act.subject.head * (head_TDD @ mirrored(HEAD_MARKS[name], side))
    local_D = act.subject.trunk * mirrored(TRUNK_MARKS[name], side)
    return act.pose.root_TD + trunk_rotation(act.pose) @ local_D


def leg_mark(act: Act, side: int, share: float, lift: float = 0.09) -> Floats:
    """A place on a leg (T, D): 0 at the hip, 1 at the knee, 2 at the ankle.

    Args:
        lift: how far above the bone the skin is, metres; on the lower leg, how far in front.
    """
    subject = act.subject
    hip_TD = hips(act.pose, subject)[:, side]
    knee_TD, ankle_TD = two_bones(
        hip_TD,
        act.pose.ankle_TSD[:, side],
        act.pose.knee_TSD[:, side],
        subject.upper_leg,
        subject.lower_leg,
    )
    if share <= 1:
        up_D: NDArray[np.float64] = np.array([0.0, lift, 0.0])
        return hip_TD + share * (knee_TD - hip_TD) + up_D
    forward_D: NDArray[np.float64] = np.array([0.0, 0.0, lift])
    return knee_TD + (share - 1) * (ankle_TD - knee_TD) + forward_D


def reach(
    act: Act,
    goal_TD: Floats,
    fingers: Vector,
    *,
    side: int | None = None,
    palm: bool = False,
    curl: tuple[float, ...] = (0.2, 0.1, 0.1, 0.1, 0.1),
    elbow: Vector = (0.9, -0.6, -0.1),
) -> None:
    """Bring a hand to a place, following it while it moves.

    Args:
        goal_TD: what the hand touches.
        fingers: where the fingers point at the goal, for the left hand (x outward).
        side: which hand; by default the acting one.
        palm: touch with the palm rather than with the fingertips.
        curl: of the five fingers, thumb first.
        elbow: where the elbow points at the goal, for the left arm.
    """
    side = act.side if side is None else side
    toward_D = mirrored(fingers, side) / np.linalg.norm(fingers)
    wrist_TD = goal_TD - toward_D * act.subject.hand * (PALM if palm else FINGERTIPS)
    level_T1 = act.level_T[:, None]
    pose = act.pose
    # Hands swing out and forward on their way, as arms do to clear the body.
    arc_D = mirrored((0.05, 0.0, 0.10), side)
    pose.wrist_TSD[:, side] += level_T1 * (wrist_TD - pose.wrist_TSD[:, side])
    pose.wrist_TSD[:, side] += 4 * level_T1 * (1 - level_T1) * arc_D
    pose.fingers_TSD[:, side] += level_T1 * (2.0 * toward_D - pose.fingers_TSD[:, side])
    pose.elbow_TSD[:, side] += level_T1 * (mirrored(elbow, side) - pose.elbow_TSD[:, side])
    shape(act, curl, side=side)


def shape(act: Act, curl: tuple[float, ...], *, side: int, spread: float = 0.15) -> None:
    """Give a hand a shape: curl of the five fingers, and how far they are fanned out."""
    pose = act.pose
    level_T1 = act.level_T[:, None]
    pose.curl_TSF[:, side] += level_T1 * (np.array(curl) - pose.curl_TSF[:, side])
    pose.spread_TS[:, side] += act.level_T * (spread - pose.spread_TS[:, side])


def shift_hand(act: Act, by: Vector, *, side: int | None = None) -> None:
    """Move a wrist by `by` (left hand, metres) times the beat."""
    side = act.side if side is None else side
    act.pose.wrist_TSD[:, side] += act.beat_T[:, None] * mirrored(by, side)
