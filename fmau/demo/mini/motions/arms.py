"""C1-C13: arms, hands and fingers on their own."""

import numpy as np

from fmau.demo.mini.motions.act import Act, Floats, Vector, mark, mirrored, reach, shift_hand
from fmau.demo.mini.pose import LEFT, OUT, RIGHT

OPEN = (0.0, 0.0, 0.0, 0.0, 0.0)
FIST = (0.8, 1.0, 1.0, 1.0, 1.0)
POINTING = (0.8, 0.0, 1.0, 1.0, 1.0)


def _place(act: Act, at: Vector, side: int) -> Floats:
    """A fixed point (T, D) given for the left side."""
    return np.broadcast_to(mirrored(at, side), act.pose.root_TD.shape)


def illustrative_gestures(act: Act) -> None:
    """C1: one open hand beats in front of the chest."""
    reach(act, _place(act, (0.24, 0.42, 0.42), act.side), (-0.3, 0.5, 0.8), palm=True, curl=OPEN)
    act.pose.spread_TS[:, act.side] += 0.5 * act.level_T
    act.pose.palm_up_TS[:, act.side] += act.level_T
    shift_hand(act, (0.07 * act.amplitude, 0.09 * act.amplitude, 0.0))


def other_finger_movements(act: Act) -> None:
    """C2: the fingers of a resting hand wiggle one after the other."""
    reach(act, _place(act, (0.17, 0.30, 0.40), act.side), (-0.2, 0.8, 0.5), palm=True, curl=OPEN)
    act.pose.spread_TS[:, act.side] += 0.5 * act.level_T
    phase_TF = act.seconds_T[:, None] * 9.0 + np.arange(5) * 1.3
    act.pose.curl_TSF[:, act.side] += (
        act.level_T[:, None] * act.amplitude * (0.42 + 0.42 * np.sin(phase_TF))
    )


def hands_touching_fingers(act: Act) -> None:
    """C3: the hands come together and the fingers interlace."""
    for side in (LEFT, RIGHT):
        goal_TD = _place(act, (-0.035, 0.24, 0.36), side)
        reach(act, goal_TD, (-1.0, 0.15, 0.3), side=side, curl=(0.2, 0.35, 0.35, 0.35, 0.35))
        act.pose.spread_TS[:, side] += 0.6 * act.level_T


def stretching_arms(act: Act) -> None:
    """C4: an arm is raised or extended."""
    where: list[Vector] = [(0.72, 0.62, 0.30), (0.44, 0.97, 0.20), (0.42, 0.47, 0.62)]
    goal = where[act.rng.integers(3)]
    toward = (goal[0] - 0.18, goal[1] - 0.42, goal[2])
    reach(act, _place(act, goal, act.side), toward, curl=OPEN, elbow=(0.3, -1.0, 0.0))


def waving(act: Act) -> None:
    """C5: a raised hand waves beside the head."""
    reach(act, _place(act, (0.40, 0.80, 0.24), act.side), (0.1, 1.0, 0.1), curl=OPEN)
    act.pose.spread_TS[:, act.side] += 0.5 * act.level_T
    act.pose.palm_up_TS[:, act.side] += act.level_T
    shift_hand(act, (0.11 * act.amplitude, 0.0, 0.0))
    act.pose.fingers_TSD[:, act.side, 0] += 0.9 * act.out * act.amplitude * act.beat_T


def scratching_arms(act: Act) -> None:
    """C6: one hand scratches the other lower arm."""
    reach(act, _place(act, (-0.08, 0.20, 0.34), act.other), (-1.0, 0.1, 0.3), side=act.other)
    goal_TD = _place(act, (0.18, 0.24, 0.30), act.other)
    reach(act, goal_TD, (-0.9, -0.5, 0.2), curl=(0.3, 0.5, 0.5, 0.5, 0.5), elbow=(1.0, 0.1, 0.0))
    shift_hand(act, (0.055 * act.amplitude, -0.015, 0.0))


def spreading_hands(act: Act) -> None:
    """C7: the hands open to the sides, palms up."""
    for side in (LEFT, RIGHT):
        goal_TD = _place(act, (0.44, 0.28, 0.40), side)
        reach(
            act, goal_TD, (0.8, 0.15, 0.7), side=side, palm=True, curl=OPEN, elbow=(0.5, -1.0, 0.0)
        )
        act.pose.spread_TS[:, side] += 0.6 * act.level_T
        act.pose.palm_up_TS[:, side] += act.level_T


def playing_objects(act: Act) -> None:
    """C8: an object in the hand is turned about; the renderer draws it in the acting hand."""
    holding = (0.6, 0.7, 0.8, 0.9, 0.9)
    reach(act, _place(act, (0.04, 0.32, 0.40), act.side), (-0.6, 0.6, 0.5), palm=True, curl=holding)
    reach(
        act, _place(act, (0.10, 0.22, 0.36), act.other), (-0.8, 0.3, 0.5), side=act.other, palm=True
    )
    shift_hand(act, (0.03, 0.035 * act.amplitude, 0.0))
    act.pose.fingers_TSD[:, act.side, 0] += 1.2 * act.out * act.amplitude * act.beat_T


def putting_hands_together(act: Act) -> None:
    """C9: palm against palm, fingers up."""
    for side in (LEFT, RIGHT):
        goal_TD = _place(act, (0.022, 0.44, 0.36), side)
        reach(
            act,
            goal_TD,
            (-0.06, 1.0, 0.25),
            side=side,
            palm=True,
            curl=OPEN,
            elbow=(1.0, -0.3, 0.0),
        )
        act.pose.spread_TS[:, side] *= 1 - act.level_T


def retracting_arms(act: Act) -> None:
    """C10: an extended arm is drawn back to the body."""
    stretching_arms(act)


def pointing_oneself(act: Act) -> None:
    """C11: the forefinger points at the own chest."""
    reach(act, mark(act, "chest"), (-0.7, 0.05, -0.7), curl=POINTING, elbow=(1.0, -0.1, 0.2))
    act.pose.wrist_TSD[:, act.side, 2] += 0.05 * act.level_T


def clenching_fist(act: Act) -> None:
    """C12: the fingers of a raised hand bend into a fist."""
    raised_T = np.minimum(1, 3 * act.level_T)
    goal_TD = _place(act, (0.20, 0.36, 0.42), act.side)
    level_T, act.level_T = act.level_T, raised_T
    reach(act, goal_TD, (-0.1, 0.9, 0.4), palm=True, curl=OPEN)
    closed_T1 = np.clip(1.6 * (level_T - 0.3), 0, 1)[:, None]
    act.pose.curl_TSF[:, act.side] += closed_T1 * (np.array(FIST) - act.pose.curl_TSF[:, act.side])
    act.level_T = level_T


def rubbing_hands(act: Act) -> None:
    """C13: the hands lie in each other and rub."""
    for side in (LEFT, RIGHT):
        goal_TD = _place(act, (0.02, 0.26 + 0.03 * OUT[side], 0.38), side)
        reach(act, goal_TD, (-0.75, 0.45, 0.4), side=side, palm=True, curl=(0.3,) * 5)
        shift_hand(act, (0.0, 0.05 * act.amplitude * OUT[side], 0.02 * OUT[side]), side=side)


PROGRAMMES = {
    "C1": illustrative_gestures,
    "C2": other_finger_movements,
    "C3": hands_touching_fingers,
    "C4": stretching_arms,
    "C5": waving,
    "C6": scratching_arms,
    "C7": spreading_hands,
    "C8": playing_objects,
    "C9": putting_hands_together,
    "C10": retracting_arms,
    "C11": pointing_oneself,
    "C12": clenching_fist,
    "C13": rubbing_hands,
}
