"""A1-A5 and B1-B6: trunk, shoulders and head."""

import numpy as np

from fmau.demo.mini.motions.act import Act, leg_mark, reach


def shaking_body(act: Act) -> None:
    """A1: the upper body sways from side to side."""
    act.pose.lean_TD[:, 1] += 0.24 * act.amplitude * act.beat_T
    act.pose.root_TD[:, 0] += 0.02 * act.amplitude * act.beat_T


def turning_around(act: Act) -> None:
    """A2: the trunk turns, head and arms with it."""
    angle_T = 0.85 * act.out * act.amplitude * act.level_T
    act.pose.lean_TD[:, 2] += angle_T
    act.pose.head_TD[:, 1] += 0.5 * angle_T
    cos_T, sin_T = np.cos(0.8 * angle_T), np.sin(0.8 * angle_T)
    x_TS, z_TS = act.pose.wrist_TSD[..., 0].copy(), act.pose.wrist_TSD[..., 2].copy()
    act.pose.wrist_TSD[..., 0] = cos_T[:, None] * x_TS + sin_T[:, None] * z_TS
    act.pose.wrist_TSD[..., 2] = cos_T[:, None] * z_TS - sin_T[:, None] * x_TS


def sitting_straightly(act: Act) -> None:
    """A3: a slouching back straightens."""
    slouch_T = 1 - act.level_T
    act.pose.lean_TD[:, 0] += (0.42 * act.amplitude) * slouch_T - 0.04
    act.pose.head_TD[:, 0] += 0.22 * slouch_T
    act.pose.root_TD[:, 1] -= 0.02 * slouch_T


def shrugging(act: Act) -> None:
    """A4: both shoulders lift."""
    lift_T = 0.085 * act.amplitude * act.level_T
    act.pose.shrug_TS += lift_T[:, None]
    act.pose.wrist_TSD[..., 1] += 0.4 * lift_T[:, None]


def rising_up(act: Act) -> None:
    """A5: hands on the thighs, the trunk leans forward and the seat is left."""
    level_T = act.level_T
    act.pose.lean_TD[:, 0] += 0.62 * act.amplitude * np.minimum(1, 1.6 * level_T)
    act.pose.head_TD[:, 0] -= 0.3 * level_T
    act.pose.root_TD[:, 1] += 0.16 * act.amplitude * np.maximum(0, level_T - 0.3) / 0.7
    act.pose.root_TD[:, 2] += 0.12 * act.amplitude * level_T
    for side in (0, 1):
        reach(act, leg_mark(act, side, 0.85), (-0.2, -0.4, 0.9), side=side, palm=True)


def nodding(act: Act) -> None:
    """B1: the head goes up and down again and again."""
    act.pose.head_TD[:, 0] += 0.30 * act.amplitude * (act.beat_T + 0.3 * act.level_T)


def shaking_head(act: Act) -> None:
    """B2: the head turns left and right again and again."""
    act.pose.head_TD[:, 1] += 0.55 * act.amplitude * act.beat_T


def turning_head(act: Act) -> None:
    """B3: the head turns to one side."""
    act.pose.head_TD[:, 1] += 0.95 * act.out * act.amplitude * act.level_T


def tilting_head(act: Act) -> None:
    """B4: the head tips toward a shoulder."""
    act.pose.head_TD[:, 2] += 0.50 * act.out * act.amplitude * act.level_T


def bowing_head(act: Act) -> None:
    """B5: the head goes down and the chin comes to the chest."""
    act.pose.head_TD[:, 0] += 0.80 * act.amplitude * act.level_T


def head_up(act: Act) -> None:
    """B6: the head rises and the face points up."""
    act.pose.head_TD[:, 0] -= 0.62 * act.amplitude * act.level_T


PROGRAMMES = {
    "A1": shaking_body,
    "A2": turning_around,
    "A3": sitting_straightly,
    "A4": shrugging,
    "A5": rising_up,
    "B1": nodding,
    "B2": shaking_head,
    "B3": turning_head,
    "B4": tilting_head,
    "B5": bowing_head,
    "B6": head_up,
}
