"""Made-up clips for tests: smooth random trajectories around a seated body."""

from typing import Any

import numpy as np

from fmau.core.taxonomy import actions
from fmau.demo.mini.plan import BODY_PARTS, FPS, ClipPlan, Event, Motion

REST_PD = np.array(
    [
        (0.0, 0.75, 0.0),
        (0.0, 0.35, 0.0),
        (0.2, 0.45, 0.0),
        (-0.2, 0.45, 0.0),
        (0.22, 0.25, 0.12),
        (-0.22, 0.25, 0.12),
        (0.15, 0.12, 0.3),
        (-0.15, 0.12, 0.3),
        (0.12, 0.05, 0.25),
        (-0.12, 0.05, 0.25),
        (0.14, -0.2, 0.45),
        (-0.14, -0.2, 0.45),
        (0.14, -0.45, 0.5),
        (-0.14, -0.45, 0.5),
    ]
)


def motion(rng: np.random.Generator, frame_count: int = 60, active: int = 6) -> Motion:
    """A clip in which `active` random parts make smooth moves or oscillate and the rest sways."""
    time_T = np.arange(frame_count) / FPS
    sway = 0.002 * np.sin(2 * np.pi * (0.3 * time_T[:, None, None] + rng.random((1, 14, 3))))
    positions_TPD = REST_PD + sway
    for part in rng.choice(len(BODY_PARTS), size=active, replace=False):
        if rng.random() < 0.3:
            swing_T = np.sin(2 * np.pi * rng.uniform(1, 2) * np.maximum(time_T - 0.3, 0))
            positions_TPD[:, part] += swing_T[:, None] * rng.normal(scale=0.05, size=3)
            continue
        for _ in range(rng.integers(1, 3)):
            start, length = rng.uniform(0, 1.4), rng.uniform(0.2, 0.9)
            ease_T = np.clip((time_T - start) / length, 0, 1)
            ease_T = ease_T * ease_T * (3 - 2 * ease_T)
            reach_D = rng.normal(size=3)
            reach_D *= rng.uniform(0.05, 0.35) / np.linalg.norm(reach_D)
            positions_TPD[:, part] += ease_T[:, None] * reach_D
    return Motion(positions_TPD.astype(np.float32))


def plan(index: int, rng: np.random.Generator, code: str | None = None) -> ClipPlan:
    """A plan without a subject, for code that only reads the label, name and seed."""
    table = [action.code for action in actions()]
    event = Event(code or table[index % len(table)], 0.2, 1.4, "left", 1.0, 1.0)
    nobody: Any = None
    return ClipPlan(f"clip{index:04d}_1_2", nobody, 60, (event,), int(rng.integers(2**31)))
