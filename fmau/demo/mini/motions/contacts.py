"""E1-E6, F1-F10, G1-G4: a hand meets the trunk, the head or a leg."""

import numpy as np

from fmau.demo.mini.motions.act import Act, Vector, leg_mark, mark, mirrored, reach, shift_hand
from fmau.demo.mini.pose import LEFT, RIGHT

TOUCH = (0.3, 0.2, 0.3, 0.4, 0.5)
FOREFINGER = (0.7, 0.0, 0.9, 0.9, 0.9)
FLAT = (0.1, 0.05, 0.05, 0.05, 0.05)


def touching_chest(act: Act) -> None:
    """E1: the flat hand lies on the chest."""
    reach(act, mark(act, "chest"), (-0.95, 0.25, -0.1), palm=True, curl=FLAT)
    shift_hand(act, (0.0, 0.035, 0.0))


def touching_neck(act: Act) -> None:
    """E2: the fingers come to the side of the neck."""
    reach(act, mark(act, "neck"), (-0.55, 0.75, -0.2), curl=TOUCH, elbow=(1.0, -0.2, 0.1))
    shift_hand(act, (0.0, 0.03, 0.0))


def touching_back(act: Act) -> None:
    """E3: the hand goes behind the back."""
    act.pose.lean_TD[:, 0] += 0.10 * act.level_T
    reach(act, mark(act, "back"), (-0.9, 0.3, -0.3), curl=TOUCH, elbow=(0.9, -0.4, -0.6))
    shift_hand(act, (0.03, 0.04, 0.0))


def arms_akimbo(act: Act) -> None:
    """E4: the hands stand on the hips, elbows out."""
    for side in (LEFT, RIGHT):
        goal_TD = mark(act, "waist", side)
        reach(act, goal_TD, (-0.6, -0.4, 0.5), side=side, palm=True, elbow=(1.0, 0.1, -0.2))


def crossing_arms(act: Act) -> None:
    """E5: the arms cross over the chest, each hand on the other upper arm."""
    for side, depth in ((act.side, 0.06), (act.other, 0.0)):
        goal_TD = mark(act, "shoulder", 1 - side) + np.array([0.0, -0.14, 0.07 + depth])
        reach(act, goal_TD, (-1.0, 0.15, 0.1), side=side, palm=True, elbow=(0.7, -0.9, 0.3))


def touching_shoulder(act: Act) -> None:
    """E6: the hand comes to the opposite shoulder."""
    goal_TD = mark(act, "shoulder", act.other)
    reach(act, goal_TD, (-0.95, 0.35, -0.2), palm=True, curl=TOUCH, elbow=(0.6, -0.4, 0.6))
    shift_hand(act, (0.02, 0.03, 0.0))


def _to_head(
    act: Act,
    place: str,
    fingers: Vector,
    curl: tuple[float, ...],
    rub: Vector = (0.0, 0.0, 0.0),
    *,
    palm: bool = False,
    elbow: Vector = (0.8, -0.8, 0.3),
) -> None:
    act.pose.head_TD[:, 0] += 0.08 * act.level_T
    reach(act, mark(act, place), fingers, palm=palm, curl=curl, elbow=elbow)
    shift_hand(act, rub)


def touching_nose(act: Act) -> None:
    """F1: the forefinger comes to the nose."""
    _to_head(act, "nose", (-0.45, 0.75, -0.5), FOREFINGER, (0.012, 0.012, 0.0))


def touching_face(act: Act) -> None:
    """F2: the fingers touch the cheek."""
    _to_head(act, "cheek", (-0.35, 0.85, -0.35), TOUCH, (0.0, 0.03, 0.0))


def tidying_hair(act: Act) -> None:
    """F3: the hand strokes the hair at the top of the head."""
    _to_head(
        act, "hair", (-0.85, 0.35, -0.3), FLAT, (0.05, 0.02, 0.05), palm=True, elbow=(1.0, 0.3, 0.2)
    )


def touching_hindbrain(act: Act) -> None:
    """F4: the hand goes behind the head."""
    _to_head(
        act,
        "hindbrain",
        (-0.8, 0.3, -0.4),
        TOUCH,
        (0.0, 0.035, 0.0),
        palm=True,
        elbow=(1.0, 0.6, 0.1),
    )


def pushing_glasses(act: Act) -> None:
    """F5: thumb and forefinger push the rim of the glasses."""
    _to_head(act, "glasses", (-0.5, 0.8, -0.35), (0.1, 0.1, 0.95, 0.95, 0.95), (0.0, 0.018, 0.0))


def rubbing_eyes(act: Act) -> None:
    """F6: a loose fist rubs the eye."""
    _to_head(
        act, "eye", (-0.45, 0.8, -0.4), (0.6, 0.75, 0.8, 0.8, 0.8), (0.03, 0.022, 0.0), palm=True
    )


def touching_forehead(act: Act) -> None:
    """F7: the fingers lie on the forehead."""
    _to_head(act, "forehead", (-0.7, 0.6, -0.4), FLAT, (0.035, 0.0, 0.0), elbow=(1.0, -0.2, 0.4))


def touching_ears(act: Act) -> None:
    """F8: thumb and forefinger hold the ear."""
    _to_head(
        act,
        "ear",
        (-0.3, 0.9, -0.1),
        (0.1, 0.2, 0.6, 0.7, 0.8),
        (0.0, 0.03, 0.0),
        elbow=(1.0, -0.4, 0.0),
    )


def covering_mouth(act: Act) -> None:
    """F9: the flat hand covers the mouth."""
    _to_head(act, "mouth", (-0.98, 0.10, -0.05), FLAT, palm=True)


def covering_face(act: Act) -> None:
    """F10: both hands cover the upper face."""
    act.pose.head_TD[:, 0] += 0.25 * act.level_T
    for side in (LEFT, RIGHT):
        goal_TD = mark(act, "face", side)
        reach(act, goal_TD, (-0.18, 1.0, -0.1), side=side, palm=True, curl=FLAT)


def touching_legs(act: Act) -> None:
    """G1: a hand rubs along the thigh."""
    level_T = act.level_T
    reach(act, leg_mark(act, act.side, 0.62), (-0.1, -0.25, 1.0), palm=True, curl=FLAT)
    act.pose.wrist_TSD[:, act.side, 2] += 0.11 * act.amplitude * act.beat_T * level_T
    act.pose.wrist_TSD[:, act.side, 1] += 0.012 * act.beat_T * level_T


def patting_legs(act: Act) -> None:
    """G2: a hand is lifted off the thigh and pats it."""
    reach(act, leg_mark(act, act.side, 0.75), (-0.1, -0.1, 1.0), palm=True, curl=FLAT)
    up_T = 0.5 - 0.5 * act.beat_T
    act.pose.wrist_TSD[:, act.side, 1] += 0.14 * act.amplitude * up_T * act.level_T


def scratching_legs(act: Act) -> None:
    """G3: leaning down, a hand scratches the lower leg."""
    act.pose.lean_TD[:, 0] += 0.78 * act.level_T
    act.pose.lean_TD[:, 1] += 0.12 * act.out * act.level_T
    reach(
        act, leg_mark(act, act.side, 1.45, 0.05), (0.1, -1.0, 0.15), curl=(0.4, 0.5, 0.5, 0.5, 0.5)
    )
    shift_hand(act, (0.0, 0.055 * act.amplitude, 0.0))


def scratching_feet(act: Act) -> None:
    """G4: bending far down, a hand scratches a lifted foot."""
    act.pose.lean_TD[:, 0] += 1.02 * act.level_T
    act.pose.lean_TD[:, 1] += 0.12 * act.out * act.level_T
    lift_D = mirrored((0.05, 0.13, 0.05), act.side)
    act.pose.ankle_TSD[:, act.side] += act.level_T[:, None] * lift_D
    goal_TD = act.pose.ankle_TSD[:, act.side] + np.array([0.0, 0.0, 0.10])
    reach(act, goal_TD, (0.0, -0.9, 0.4), curl=(0.4, 0.5, 0.5, 0.5, 0.5))
    shift_hand(act, (0.02, 0.0, 0.045 * act.amplitude))


PROGRAMMES = {
    "E1": touching_chest,
    "E2": touching_neck,
    "E3": touching_back,
    "E4": arms_akimbo,
    "E5": crossing_arms,
    "E6": touching_shoulder,
    "F1": touching_nose,
    "F2": touching_face,
    "F3": tidying_hair,
    "F4": touching_hindbrain,
    "F5": pushing_glasses,
    "F6": rubbing_eyes,
    "F7": touching_forehead,
    "F8": touching_ears,
    "F9": covering_mouth,
    "F10": covering_face,
    "G1": touching_legs,
    "G2": patting_legs,
    "G3": scratching_legs,
    "G4": scratching_feet,
}
