"""D1-D8: legs and feet on their own."""

import numpy as np

from fmau.demo.mini.motions.act import Act, Floats, Vector, mirrored
from fmau.demo.mini.pose import LEFT, OUT, RIGHT


def _move(act: Act, side: int, by: Vector, amount_T: Floats) -> None:
    """Shift an ankle by `by` (left leg, metres) times an amount."""
    act.pose.ankle_TSD[:, side] += amount_T[:, None] * mirrored(by, side)


def tiptoe(act: Act) -> None:
    """D1: the heel lifts, the toes stay on the ground."""
    _move(act, act.side, (0.0, 0.15 * act.amplitude, -0.05), act.level_T)
    act.pose.heel_TS[:, act.side] += 1.05 * act.amplitude * act.level_T


def retracting_feet(act: Act) -> None:
    """D2: stretched feet are drawn back under the chair."""
    for side in (LEFT, RIGHT):
        _move(act, side, (0.02, 0.02, 0.18 * act.amplitude), 1 - act.level_T)
        _move(act, side, (0.0, 0.03, -0.20 * act.amplitude), act.level_T)
        act.pose.heel_TS[:, side] += 0.25 * act.level_T - 0.35 * (1 - act.level_T)


def shaking_legs(act: Act) -> None:
    """D3: a leg jiggles up and down on the ball of its foot."""
    up_T = 0.5 + 0.5 * act.beat_T
    _move(act, act.side, (0.0, 0.075 * act.amplitude, 0.0), up_T * act.level_T)
    act.pose.heel_TS[:, act.side] += 0.45 * act.amplitude * up_T * act.level_T


def stretching_feet(act: Act) -> None:
    """D4: a foot is put forward, heel on the ground and toes up."""
    _move(act, act.side, (0.10, 0.0, 0.26 * act.amplitude), act.level_T)
    act.pose.heel_TS[:, act.side] -= 0.55 * act.level_T
    act.pose.knee_TSD[:, act.side, 0] += 0.1 * act.out * act.level_T


def _apart(act: Act, amount_T: Floats) -> None:
    for side in (LEFT, RIGHT):
        _move(act, side, (0.17 * act.amplitude, 0.0, 0.0), amount_T)
        act.pose.knee_TSD[:, side, 0] += 0.55 * OUT[side] * act.amplitude * amount_T
        act.pose.toe_out_TS[:, side] += 0.5 * amount_T


def closing_legs(act: Act) -> None:
    """D5: knees and feet go from apart to together."""
    _apart(act, 1 - act.level_T)
    for side in (LEFT, RIGHT):
        _move(act, side, (-0.05, 0.0, 0.0), act.level_T)


def spread_legs(act: Act) -> None:
    """D6: the knees go apart."""
    _apart(act, act.level_T)


def curling_legs(act: Act) -> None:
    """D7: one leg is laid over the other, its ankle on the other knee."""
    side, pose = act.side, act.pose
    knee = np.array([OUT[act.other] * 0.10, 0.13, 0.46])
    up_T1 = act.level_T[:, None]
    pose.ankle_TSD[:, side] += up_T1 * (knee - pose.ankle_TSD[:, side])
    pose.ankle_TSD[:, side] += 4 * up_T1 * (1 - up_T1) * np.array([0.06 * act.out, 0.05, 0.06])
    pose.knee_TSD[:, side] += up_T1 * (np.array([1.6 * act.out, 0.7, 0.2]) - pose.knee_TSD[:, side])
    pose.toe_out_TS[:, side] -= 1.1 * act.level_T


def crossing_legs(act: Act) -> None:
    """D8: the lower legs cross, one ankle before the other."""
    side, pose = act.side, act.pose
    for which, depth in ((side, 0.10), (act.other, 0.0)):
        goal = np.array([-0.11 * OUT[which], -0.385, 0.42 + depth])
        up_T1 = act.level_T[:, None]
        lift_T1 = 4 * up_T1 * (1 - up_T1) * (1.0 if which == side else 0.3)
        pose.ankle_TSD[:, which] += up_T1 * (goal - pose.ankle_TSD[:, which])
        pose.ankle_TSD[:, which] += lift_T1 * np.array([0.0, 0.08, 0.04])
        pose.toe_out_TS[:, which] -= 0.4 * act.level_T


PROGRAMMES = {
    "D1": tiptoe,
    "D2": retracting_feet,
    "D3": shaking_legs,
    "D4": stretching_feet,
    "D5": closing_legs,
    "D6": spread_legs,
    "D7": curling_legs,
    "D8": crossing_legs,
}
