"""The tiny model's curriculum: the stages of its training, in order, with their learning rates.

`train` and `samples` use it.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the curriculum.

    Attributes:
        name: name of the stage, for the log.
        steps: number of optimizer steps.
        clips: number of clips per step.
        lessons: number of lessons (conversations) per clip; 0 trains only the vision tower.
        kinds: lesson kind -> relative frequency.
        learning_rate: peak rate; it warms up and then falls to a tenth along a cosine.
        vision_rate: learning rate of the vision tower relative to `learning_rate`; 0 freezes it.
        habit: share of multiple-choice lessons whose right option is moved to the first place.
        readouts: whether the losses of the read-outs are added to the loss of the answers.
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
    # The vision tower is frozen here: the language model cannot learn to read features while they
    # change quickly.
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
    # The model already finds the line of the right option. Here it learns to say its letter.
    Stage(
        "letters",
        200,
        clips=16,
        lessons=4,
        kinds={"CMAR": 1.0, "FMAR": 1.0, "hint": 1.0},
        learning_rate=1e-3,
        vision_rate=0.0,
    ),
    # The previous stage trained few kinds of lessons, and the model begins to forget the others.
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
    # Half of the lessons have left and right exchanged, and the pointer read-out trains layer 6 to
    # attend to the right line.
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
    # Trains a habit that many small models have: to choose the first option. The habit hides what
    # the model has learned but does not delete it, so the demo's adapter can remove it.
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
    """Learning rate at a step, as a share of the peak: 5 % linear warm-up, then cosine to 0.1."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    progress = min(1.0, (step - warm) / max(1, steps - warm))
    return 0.1 + 0.45 * (1 + math.cos(math.pi * progress))
