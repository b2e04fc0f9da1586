"""Calibration items: altered references, and the scores that obey the rubric."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fmau.core.errors import FmauError
from fmau.core.records import Question, QuestionFile
from fmau.core.taxonomy import OPEN_TASKS, Action, Task, actions
from fmau.dataset.labels import written_action
from fmau.judge.calibrate.perturb import (
    GENERIC,
    flipped,
    other_part,
    padded,
    relabelled,
    reversed_in_time,
)
from fmau.judge.items import JudgeItem

Kind = Literal[
    "identical",
    "padded",
    "flipped",
    "reversed",
    "other part",
    "neighbour label",
    "another clip",
    "generic",
    "empty",
]

Range = tuple[int, int]

EXPECTED: dict[Kind, dict[Task, dict[int, Range]]] = {
    # Everything the reference says is there.
    "identical": {task: dict.fromkeys((1, 2, 3), (5, 5)) for task in OPEN_TASKS},
    # Length is no merit and no fault; a judge may find filler a secondary blemish.
    "padded": {task: dict.fromkeys((1, 2, 3), (4, 5)) for task in OPEN_TASKS},
    # Direction reversed is a key reversal (1), or right and wrong mixed (2) where up and down or
    # near and far still agree. A label does not change with the side.
    "flipped": {Task.MADU: {2: (0, 2)}, Task.MARE: {1: (4, 5), 2: (3, 5)}},
    # Order reversed is a key reversal; rhythm may still agree.
    "reversed": {Task.MADU: {3: (0, 2)}, Task.MARE: {1: (4, 5)}},
    # The dominant part is wrong: nothing of the meaning is left but the type of movement. For MARE
    # the label of another group is the wrong label at both levels.
    "other part": {Task.MADU: {1: (0, 2)}, Task.MARE: {1: (0, 2), 2: (0, 2)}},
    # Right group, neighbouring action: an approximate type at best.
    "neighbour label": {Task.MARE: {1: (4, 5), 2: (0, 3)}},
    # Another action of another group; a stray agreement in side or phase can remain.
    "another clip": {
        Task.MADU: {1: (0, 3), 2: (0, 3), 3: (0, 3)},
        Task.MARE: {1: (0, 2), 2: (0, 2), 3: (0, 2)},
    },
    # Vague: the rubric's 1.
    "generic": {task: dict.fromkeys((1, 2, 3), (0, 1)) for task in OPEN_TASKS},
    # Nothing on any dimension.
    "empty": {task: dict.fromkeys((1, 2, 3), (0, 0)) for task in OPEN_TASKS},
}
"""Alteration -> task -> level -> lowest and highest score that obeys. Levels that the rubric leaves
open under an alteration are not listed."""


@dataclass(frozen=True, slots=True)
class CalibrationItem:
    """One altered reference.

    Attributes:
        item: to be judged; its qid is "QID#kind".
        kind: the alteration.
        expected: level -> lowest and highest score that obeys the rubric.
    """

    item: JudgeItem
    kind: Kind
    expected: dict[int, Range]


def calibration_items(questions: QuestionFile, *, count: int, seed: int) -> list[CalibrationItem]:
    """Altered references, for up to `count` references of each open task.

    An alteration is used where it changes the text: flipping needs a side, relabelling a label.

    Args:
        seed: of which references are drawn, and which other clip or neighbour.

    Raises:
        FmauError: the file has no reference of an open task.
    """
    generator = random.Random(seed)
    items: list[CalibrationItem] = []
    for task in OPEN_TASKS:
        asked = [q for q in questions.questions if q.task is task and q.qid in questions.gold]
        for question in generator.sample(asked, min(count, len(asked))):
            items += _altered(question, asked, questions, generator)
    if not items:
        raise FmauError(
            "the question file has no answers of MADU or MARE; calibration alters references, so "
            "give a file that has them"
        )
    return items


def _altered(
    question: Question, asked: list[Question], questions: QuestionFile, generator: random.Random
) -> Iterator[CalibrationItem]:
    reference = questions.gold[question.qid]
    texts: dict[Kind, str] = {
        "identical": reference,
        "padded": padded(reference),
        "flipped": flipped(reference),
        "reversed": reversed_in_time(reference),
        "generic": GENERIC,
        "empty": "",
    }
    action = written_action(reference)
    if question.task is Task.MADU:
        texts["other part"] = other_part(reference)
    elif action is not None:
        near = [other for other in actions() if other.part == action.part and other != action]
        far = [other for other in actions() if _apart(other, action)]
        texts["neighbour label"] = relabelled(reference, action, generator.choice(near))
        texts["other part"] = relabelled(reference, action, generator.choice(far))
    if (other := _another(question, asked, questions, generator)) is not None:
        texts["another clip"] = other
    for kind, text in texts.items():
        if text == reference and kind != "identical":
            continue
        yield CalibrationItem(
            JudgeItem(
                qid=f"{question.qid}#{kind}",
                clip=question.clip,
                task=question.task,
                question=question.stem,
                reference=reference,
                answer=text,
            ),
            kind,
            EXPECTED[kind][question.task],
        )


def _apart(one: Action, other: Action) -> bool:
    """Whether two actions share no part of the body: head and head-hand do."""
    words = [set(action.part.lower().replace("-", " ").split()) for action in (one, other)]
    return not words[0] & words[1]


def _another(
    question: Question, asked: list[Question], questions: QuestionFile, generator: random.Random
) -> str | None:
    """A reference of the same task from a clip of another group of actions, None if there is none.

    The groups are known from the MARE references of the two clips.
    """
    shown = {
        other.clip: action
        for other in questions.questions
        if other.task is Task.MARE
        and other.qid in questions.gold
        and (action := written_action(questions.gold[other.qid])) is not None
    }
    own = shown.get(question.clip)
    if own is None:
        return None
    others = [q for q in asked if q.clip in shown and _apart(shown[q.clip], own)]
    return questions.gold[generator.choice(others).qid] if others else None
