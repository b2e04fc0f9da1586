"""Animated clips for tests of the figure, and points of the body found independently of motions."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from fmau.core.taxonomy import actions
from fmau.demo.mini.casting import plan_clip
from fmau.demo.mini.figure import sample_subject
from fmau.demo.mini.kinematics import Animation, animate
from fmau.demo.mini.plan import ClipPlan

CODES = [action.code for action in actions()]
SIDE_INDEX = {"left": 0, "right": 1}

Floats = NDArray[np.float64]


def planned(code: str, seed: int = 0) -> ClipPlan:
    """A clip of an action by a person, both drawn at random."""
    rng = np.random.default_rng([seed, CODES.index(code)])
    return plan_clip("clip", code, sample_subject(rng), rng)


def alone(plan: ClipPlan) -> ClipPlan:
    """The dominant action without company."""
    return replace(plan, events=plan.events[:1])


def points(plan: ClipPlan, animation: Animation) -> dict[str, Floats]:
    """Trajectories (T, D) of the outermost point of every part of the body."""
    s, subject = animation.skeleton, plan.subject
    tip_TSD = s.wrist_TSD + 0.95 * subject.hand * s.fingers_TSD
    found = {"nose": on_head(plan, animation, 0.0, -0.09, 0.53), "neck": s.neck_TD}
    for side, index in SIDE_INDEX.items():
        found |= {
            f"{side} shoulder": s.shoulder_TSD[:, index],
            f"{side} fingertips": tip_TSD[:, index],
            f"{side} knee": s.knee_TSD[:, index],
            f"{side} heel": s.heel_TSD[:, index],
            f"{side} toes": s.toe_TSD[:, index],
        }
    return found


def on_head(plan: ClipPlan, animation: Animation, x: float, y: float, z: float) -> Floats:
    """A place on the head (T, D), in head heights toward left, up and forward of its middle."""
    s = animation.skeleton
    return s.head_TD + plan.subject.head * s.head_TDD @ np.array([x, y, z])


def extents(plan: ClipPlan) -> dict[str, float]:
    """How far each point of the body gets from any of its other positions, metres."""
    return {
        name: float(pdist(track_TD).max()) for name, track_TD in points(plan, animate(plan)).items()
    }


def to_segment(point_TD: Floats, start_TD: Floats, end_TD: Floats) -> Floats:
    """Distances (T,) of points from segments."""
    along_TD = end_TD - start_TD
    share_T = ((point_TD - start_TD) * along_TD).sum(-1) / (along_TD**2).sum(-1)
    nearest_TD = start_TD + np.clip(share_T, 0, 1)[:, None] * along_TD
    return np.asarray(np.linalg.norm(point_TD - nearest_TD, axis=-1))
