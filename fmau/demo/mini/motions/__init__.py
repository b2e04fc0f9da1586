"""Motion programmes: for each micro-action a function that adds its motion to a pose.

`play` runs the programme of an event. For the small secondary movements, whose codes (`DRIFTS`) are
not in the taxonomy, it shifts a body part.
"""

import numpy as np

from fmau.demo.mini.motions import arms, body, contacts, legs
from fmau.demo.mini.motions.act import Act

PROGRAMMES = body.PROGRAMMES | arms.PROGRAMMES | legs.PROGRAMMES | contacts.PROGRAMMES
"""Taxonomy code -> programme."""

DRIFTS = ("drift:head", "drift:torso", "drift:hand", "drift:foot")
"""Codes of secondary movements: a small shift of one part in a random direction."""


def play(code: str, act: Act) -> None:
    """Add the motion of one event to the pose of `act`."""
    if code in PROGRAMMES:
        PROGRAMMES[code](act)
    else:
        _drift(code, act)


def _drift(code: str, act: Act) -> None:
    pose, amount_T = act.pose, act.amplitude * act.level_T
    sideways, vertical = act.rng.choice([-1.0, 1.0], 2)
    if code == "drift:head":
        pose.head_TD += amount_T[:, None] * np.array([0.20 * vertical, 0.0, 0.22 * sideways])
    elif code == "drift:torso":
        pose.lean_TD += amount_T[:, None] * np.array([0.08 * vertical, 0.12 * sideways, 0.0])
    elif code == "drift:hand":
        lift = 0.11 if vertical > 0 else 0.03
        by = np.array([0.07 * sideways, lift, 0.04 * vertical])
        pose.wrist_TSD[:, act.side] += amount_T[:, None] * by
    else:
        by = np.array([0.06 * sideways, 0.02, 0.08 * vertical])
        pose.ankle_TSD[:, act.side] += amount_T[:, None] * by
