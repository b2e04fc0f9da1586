"""Turns statements into questions; the wording is chosen at random, whatever the truth is."""

from collections.abc import Sequence
from typing import Final

from numpy.random import Generator

from fmau.core.taxonomy import Task
from fmau.demo.mini.questions.statements import Statement

_PHASES: Final = (
    "during the {scope} phase of the video",
    "in the {scope} phase of the video",
    "in the {scope} segment of the action",
)

_YES_NO: Final[dict[str, tuple[str, ...]]] = {
    "direction": (
        "Does the {one} move {term} {phase}?",
        "In this clip, does the {one} move {term} {phase}?",
        "Is there a {term} movement of the {one} {phase}?",
    ),
    "stillness": (
        "Does the {one} stay nearly still {phase}?",
        "Does the {one} remain almost stationary {phase}?",
    ),
    "return": (
        "Does the {one} end close to the position it started from?",
        "By the end of the video, does the {one} return near its starting position?",
    ),
    "repetition": (
        "Does the {one} move back and forth repeatedly?",
        "In this clip, does the {one} perform a repeated back-and-forth movement?",
    ),
    "both ways": (
        "Does the {one} move both {term} in the course of the video?",
        "Over the whole clip, does the {one} move both {term}?",
    ),
    "midline": (
        "Does the {one} cross the midline of the body?",
        "At any point of the video, does the {one} cross the body's midline?",
    ),
    "effort": (
        "Does the {one} move more in the {term} phase than in the {scope} phase?",
        "Is the {one} more active in the {term} phase than in the {scope} phase of the video?",
    ),
    "together": (
        "Do the {one} and the {two} both clearly move {phase}?",
        "Are the {one} and the {two} both in motion {phase}?",
    ),
    "ways": (
        "Do the {one} and the {two} move in {term} {phase}?",
        "Is it in {term} that the {one} and the {two} move {phase}?",
    ),
    "amplitude": (
        "Does the {one} show a larger range of movement than the {two}?",
        "Compared with the {two}, does the {one} move over a larger range?",
    ),
    "onset": (
        "Did the {one} begin moving {term} the {two} began moving?",
        "Did the {one} start its movement {term} the {two} started its movement?",
    ),
    "rest": (
        "Did the {one} come to rest {term} the {two} came to rest?",
        "Did the {one} finish its movement {term} the {two} finished its movement?",
    ),
    "extremes": (
        "Did the {one} reach its {term} point before its {other} point?",
        "Was the {one} at its {term} point earlier than at its {other} point?",
    ),
    "distance": (
        "In the {scope} phase of the video, does the {one} {verb} the {two}?",
        "During the {scope} phase, does the {one} noticeably {verb} the {two}?",
        "In the {scope} stage of the video, do the {one} and the {two} {each}?",
    ),
}

_APPROACH: Final = {"approach": "approach", "leave": "move away from"}
_EACH: Final = {"approach": "come closer to each other", "leave": "move apart from each other"}

STEMS: Final[dict[Task, tuple[str, ...]]] = {
    Task.CMAR: (
        "Which coarse-grained category does the micro-action in this clip belong to?",
        "Choose the coarse-grained label that fits the micro-action in this video.",
        "Which body-part category best describes the micro-action in this video clip?",
    ),
    Task.FMAR: (
        "Which fine-grained label fits the micro-action shown in this video?",
        "Choose the exact fine-grained category of the action in this clip.",
        "What is the fine-grained action class of this video clip?",
    ),
    Task.MADU: (
        "Describe how the person in the video moves.",
        "Describe in detail the movement of each body part in the video.",
        "Explain how the person's movements change over the video.",
    ),
    Task.MARE: (
        "From the movements in the video, give a step-by-step reasoning and name the coarse- and "
        "fine-grained micro-action.",
        "Reason from the observed movements to the most accurate coarse- and fine-grained "
        "micro-action labels.",
        "Explain, from the evidence in the video, which coarse- and fine-grained micro-action is "
        "performed.",
    ),
}
"""Question texts of the tasks whose question does not depend on the clip."""


def pick(wordings: Sequence[str], rng: Generator) -> str:
    """One of several wordings at random."""
    return wordings[int(rng.integers(len(wordings)))]


def word(statement: Statement, rng: Generator) -> str:
    """A question that asks whether the statement holds.

    Two parts whose order does not matter are named in random order. Nothing here reads
    `statement.truth`.
    """
    parts = list(statement.parts)
    if statement.kind in ("together", "ways", "distance"):
        rng.shuffle(parts)
    if statement.task is Task.PPR:
        parts = [part.title() for part in parts]
    scope = statement.scope
    phase = pick(_PHASES, rng).format(scope=scope) if scope else "throughout the video"
    return pick(_YES_NO[statement.kind], rng).format(
        one=parts[0],
        two=parts[-1],
        term=_term(statement),
        scope=scope,
        phase=phase,
        other=next((end for end in scope.split("/") if end != statement.term), ""),
        verb=_APPROACH.get(statement.term, ""),
        each=_EACH.get(statement.term, ""),
    )


def _term(statement: Statement) -> str:
    if statement.kind != "ways":
        return statement.term
    manner, axis = statement.term.split()
    return f"the same {axis} direction" if manner == "same" else f"opposite {axis} directions"
