"""The tiny model's curriculum: what is learned in which order, and how fast."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of the curriculum.

    Attributes:
        name: for the log.
        steps: optimizer steps.
        clips: clips per step.
        lessons: conversations per clip.
        kinds: lesson kind -> relative frequency.
        learning_rate: peak; each stage warms up and decays to a tenth by a cosine.
    """

    name: str
    steps: int
    clips: int
    lessons: int
    kinds: dict[str, float]
    learning_rate: float


TASKS = {"CMAR": 2.0, "FMAR": 2.0, "SAD": 2.0, "MAD": 2.0, "MAS": 2.0, "PPR": 2.0}
STAGES = (
    Stage("see", 700, clips=24, lessons=1, kinds={"part": 1.0, "label": 1.0}, learning_rate=1e-3),
    Stage(
        "choose",
        300,
        clips=16,
        lessons=4,
        kinds={"CMAR": 1.0, "FMAR": 1.0, "hint": 1.0, "label": 0.5},
        learning_rate=1e-3,
    ),
    Stage(
        "answer",
        450,
        clips=16,
        lessons=6,
        kinds=TASKS | {"label": 1.0, "hint": 1.0, "MADU": 0.6, "MARE": 0.6},
        learning_rate=1e-3,
    ),
)


def rate(step: int, steps: int) -> float:
    """Share of the peak rate: linear warm-up over 5 %, then cosine to a tenth."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    progress = min(1.0, (step - warm) / max(1, steps - warm))
    return 0.1 + 0.45 * (1 + math.cos(math.pi * progress))
