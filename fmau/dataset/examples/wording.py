"""The texts of the questions, in the forms that the benchmark uses.

In a yes/no wording, {0}, {1}, ... stand for the terms of the statement, in their order. Where the
order of two parts makes no difference, both orders are among the wordings.
"""

from collections.abc import Sequence
from typing import Final

from numpy.random import Generator

from fmau.core.taxonomy import Task
from fmau.dataset.examples.statements import Statement

STEMS: Final[dict[Task, tuple[str, ...]]] = {
    Task.CMAR: (
        "To which coarse-grained category does the micro-action in this clip belong?",
        "Select the coarse-grained label that suits the micro-action in this video clip best.",
        "Determine the coarse-grained category of the micro-action shown in this video.",
        "Under which body-part category should the micro-action in this clip be filed?",
    ),
    Task.FMAR: (
        "Which fine-grained label matches the micro-action in this video best?",
        "Select the fine-grained category of the action in this video clip.",
        "Determine exactly which fine-grained action this clip shows.",
        "What is the fine-grained class of the micro-action in this video?",
    ),
    Task.MADU: (
        "Describe the movements of the person in this video.",
        "Describe in detail what each part of the person's body does in the video.",
        "Explain how the movements of the person's body parts develop over the video.",
        "Give a detailed description of the person's movement in this clip.",
    ),
    Task.MARE: (
        "Starting from what moves and how, reason step by step to the coarse- and fine-grained "
        "labels of the micro-action in this video.",
        "Use the movements seen in the video as evidence and infer the micro-action at the coarse "
        "and the fine level.",
        "Give a detailed chain of reasoning from the person's movements to the coarse- and "
        "fine-grained micro-action category.",
        "What do the movements in this clip show? Argue from them to the micro-action labels at "
        "both levels, coarse and fine.",
    ),
}
"""Task -> its question texts, for the tasks that ask the same about every clip."""

YES_NO: Final[dict[str, tuple[str, ...]]] = {
    "direction": (
        "In the {2} phase of the action, does the {0} move {1}?",
        "Does the {0} move {1} during the {2} segment of the action?",
        "In this micro-action, is there {1} movement of the {0} in the {2} phase?",
    ),
    "directions": (
        "In the {3} phase of the action, does the {0} move {1} and {2}?",
        "Does the {0} follow a {1} and {2} path during the {3} segment of the action?",
    ),
    "rest": (
        "Does the {0} remain still in the {1} phase of the action?",
        "During the {1} segment of the video, is the {0} stationary?",
    ),
    "rest throughout": (
        "Does the {0} remain completely still throughout the video?",
        "Is the {0} stationary during the entire action?",
    ),
    "throughout": (
        "Does the {0} move {1} throughout the entire action?",
        "Does the {0} keep moving {1} from start to finish?",
    ),
    "return": (
        "Does the {0} come back to where it started by the end of the action?",
        "At the end of the video, is the {0} near its starting position?",
    ),
    "both": (
        "During the {2} segment, do the {0} and the {1} both move?",
        "Are the {1} and the {0} both in motion in the {2} phase of the action?",
    ),
    "while": (
        "While the {0} is moving in the {3} phase, does the {1} simultaneously move {2}?",
        "During the {3} segment, as the {0} moves, does the {1} move {2} at the same time?",
    ),
    "ways same": (
        "During the {3} segment, do the {0} and the {1} move in the same {2} direction?",
        "In the {3} phase of the action, does the {1} move in the same {2} direction as the {0}?",
    ),
    "ways opposite": (
        "During the {3} segment, do the {0} and the {1} move in opposite {2} directions?",
        "In the {3} phase, is the {2} direction of the {1} opposite to that of the {0}?",
    ),
    "larger": (
        "Compared with the {1}, does the {0} show a greater amplitude of movement?",
        "Is the movement of the {0} larger than that of the {1}?",
    ),
    "start before": (
        "Did the {0} begin moving before the {1} began moving?",
        "Did the {0} start its movement before the {1} started moving?",
    ),
    "start after": (
        "Did the {0} begin moving after the {1} began moving?",
        "Did the {0} start to move only after the {1} had started moving?",
    ),
    "start toward first": (
        "Did the {0} begin moving {1} before the {2} began moving?",
        "Did the {1} movement of the {0} start before the {2} moved?",
    ),
    "start toward later": (
        "Did the {0} begin moving before the {1} began moving {2}?",
        "Did the {0} start its movement before the {2} movement of the {1} began?",
    ),
    "start toward both": (
        "Did the {0} begin moving {1} before the {2} began moving {3}?",
        "Did the {1} movement of the {0} start before the {3} movement of the {2}?",
    ),
    "turn": (
        "Did the {0} move {1} before it moved {2}?",
        "Did the {1} movement of the {0} occur before its {2} movement?",
    ),
    "distance nears": (
        "In the {2} phase of the video, does the {0} approach the {1}?",
        "In the {2} stage of the video, does the {1} move closer to the {0}?",
        "During the {2} phase of the video, do the {0} and the {1} approach each other?",
    ),
    "distance parts": (
        "In the {2} phase of the video, does the {0} move away from the {1}?",
        "In the {2} stage of the video, does the {1} move apart from the {0}?",
        "During the {2} phase of the video, do the {0} and the {1} move apart from each other?",
    ),
}
"""Kind of statement -> its question texts."""


def word(statement: Statement, rng: Generator) -> str:
    """A question whether the statement is true, in one of its wordings, chosen at random.

    In PPR questions the parts have capital letters, as in the benchmark.
    """
    *terms, last = statement.terms
    if statement.task is Task.PPR:
        terms = [term.title() for term in terms]
    return pick(YES_NO[statement.kind], rng).format(*terms, last)


def pick(wordings: Sequence[str], rng: Generator) -> str:
    """One of the wordings, chosen at random."""
    return wordings[int(rng.integers(len(wordings)))]
