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
        lessons: conversations per clip; 0 trains the vision tower alone.
        kinds: lesson kind -> relative frequency.
        learning_rate: peak; each stage warms up and decays to a tenth by a cosine.
        vision_rate: of the vision tower, relative to `learning_rate`; 0 freezes it.
        habit: share of multiple-choice lessons whose right option is moved to the first place.
        readouts: whether the read-outs teach too.
    """

    name: str
    steps: int
    clips: int
    lessons: int
    kinds: dict[str, float]
    learning_rate: float
    vision_rate: float
    habit: float = 0.0
    readouts: bool = True


YES_NO = {"SAD": 1.0, "MAD": 1.0, "MAS": 1.0, "PPR": 1.0}
STAGES = (
    Stage("see", 450, clips=24, lessons=0, kinds={}, learning_rate=1e-3, vision_rate=1.0),
    # The language model cannot learn to read features that change faster than it follows.
    Stage(
        "recognise",
        450,
        clips=24,
        lessons=1,
        kinds={"part": 1.0, "label": 1.0},
        learning_rate=1e-3,
        vision_rate=0.0,
    ),
    Stage(
        "choose",
        300,
        clips=16,
        lessons=4,
        kinds={"CMAR": 1.0, "FMAR": 1.0, "hint": 2.0, "label": 0.5},
        learning_rate=1e-3,
        vision_rate=0.0,
    ),
    Stage(
        "answer",
        400,
        clips=16,
        lessons=6,
        kinds=YES_NO
        | {"CMAR": 4.0, "FMAR": 4.0, "hint": 3.0, "label": 1.0, "MADU": 0.6, "MARE": 0.6},
        learning_rate=1e-3,
        vision_rate=0.1,
    ),
    # By now the right line is known; what is left is to say its letter.
    Stage(
        "letters",
        200,
        clips=16,
        lessons=4,
        kinds={"CMAR": 1.0, "FMAR": 1.0, "hint": 1.0},
        learning_rate=1e-3,
        vision_rate=0.0,
    ),
    # Narrow lessons wear away what they leave out.
    Stage(
        "settle",
        120,
        clips=16,
        lessons=6,
        kinds=YES_NO
        | {"CMAR": 3.0, "FMAR": 3.0, "hint": 2.0, "label": 0.5, "MADU": 0.6, "MARE": 0.6},
        learning_rate=7e-4,
        vision_rate=0.0,
    ),
    # Left and right exchanged in half of the lessons, and layer 6 told where to look.
    Stage(
        "point",
        700,
        clips=16,
        lessons=4,
        kinds={"CMAR": 3.0, "FMAR": 4.0, "hint": 2.0, "label": 1.0, "MADU": 0.3, "MARE": 0.3}
        | dict.fromkeys(YES_NO, 0.3),
        learning_rate=1e-3,
        vision_rate=0.0,
    ),
    # The habit that many small models have: the first option. It covers what has been learned
    # without undoing it, and gives the demo's adapter something to mend.
    Stage(
        "habit",
        80,
        clips=16,
        lessons=4,
        kinds=YES_NO | {"CMAR": 3.0, "FMAR": 3.0, "label": 0.5, "MADU": 0.5, "MARE": 0.5},
        learning_rate=5e-4,
        vision_rate=0.0,
        habit=0.94,
        readouts=False,
    ),
)


def rate(step: int, steps: int) -> float:
    """Share of the peak rate: linear warm-up over 5 %, then cosine to a tenth."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    progress = min(1.0, (step - warm) / max(1, steps - warm))
    return 0.1 + 0.45 * (1 + math.cos(math.pi * progress))
