"""Calibration items: altered references, and the scores that the rubric allows for them."""

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
    # The answer says everything that the reference says.
    "identical": {task: dict.fromkeys((1, 2, 3), (5, 5)) for task in OPEN_TASKS},
    # Length earns nothing and costs nothing; but a judge may count filler as a small fault.
    "padded": {task: dict.fromkeys((1, 2, 3), (4, 5)) for task in OPEN_TASKS},
    # The wrong direction is a key reversal (1); where up and down, or near and far, still agree,
    # right and wrong are mixed (2). The label stays right.
    "flipped": {Task.MADU: {2: (0, 2)}, Task.MARE: {1: (4, 5), 2: (3, 5)}},
    # The wrong order is a key reversal (1); the rhythm may still agree (2).
    "reversed": {Task.MADU: {3: (0, 2)}, Task.MARE: {1: (4, 5)}},
    # The dominant part is wrong; of the meaning only the type of movement is left. In MARE the
    # label is of another group: wrong at both levels.
    "other part": {Task.MADU: {1: (0, 2)}, Task.MARE: {1: (0, 2), 2: (0, 2)}},
    # The group is right, the action is a neighbour: approximate at best.
    "neighbour label": {Task.MARE: {1: (4, 5), 2: (0, 3)}},
    # Another action of another group; a side or a phase may agree by chance.
    "another clip": {
        Task.MADU: {1: (0, 3), 2: (0, 3), 3: (0, 3)},
        Task.MARE: {1: (0, 2), 2: (0, 2), 3: (0, 2)},
    },
    # A vague answer scores 1 at most.
    "generic": {task: dict.fromkeys((1, 2, 3), (0, 1)) for task in OPEN_TASKS},
    # An empty answer says nothing on any dimension.
    "empty": {task: dict.fromkeys((1, 2, 3), (0, 0)) for task in OPEN_TASKS},
}
"""Alteration -> task -> level -> lowest and highest score that the rubric allows. A level is not
listed if the rubric does not say what the alteration costs there."""


@dataclass(frozen=True, slots=True)
class CalibrationItem:
    """One altered reference.

    Attributes:
        item: what the judge is asked; its qid is "QID#kind".
        kind: the alteration.
        expected: level -> lowest and highest score that the rubric allows.
    """

    item: JudgeItem
    kind: Kind
    expected: dict[int, Range]


def calibration_items(questions: QuestionFile, *, count: int, seed: int) -> list[CalibrationItem]:
    """Alter up to `count` references of each open task in all ways that apply.

    An alteration applies if it changes the text: "flipped" needs a left or right, "neighbour label"
    a label.

    Args:
        questions: with references (gold answers of MADU and MARE).
        count: of references for each task.
        seed: of the choice of references, of other clips and of neighbouring labels.

    Raises:
        FmauError: the file has no reference of an open task.
    """
    generator = random.Random(seed)
    items: list[CalibrationItem] = []
    for task in OPEN_TASKS:
        asked = [q for q in questions.questions if q.task is task and q.qid in questions.gold]
        for question in generator.sample(asked, min(count, len(asked))):
            items += _altered(question, task, asked, questions, generator)
    if not items:
        raise FmauError(
            "the question file has no answers of MADU or MARE; calibration alters references, so "
            "give a file that has them"
        )
    return items


def _altered(
    question: Question,
    task: Task,
    asked: list[Question],
    questions: QuestionFile,
    generator: random.Random,
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
    if task is Task.MADU:
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
                task=task,
                question=question.stem,
                reference=reference,
                answer=text,
            ),
            kind,
            EXPECTED[kind][task],
        )


def _apart(one: Action, other: Action) -> bool:
    """Whether the groups of two actions share no word: "Head" and "Head-hand" share "head"."""
    words = [set(action.part.lower().replace("-", " ").split()) for action in (one, other)]
    return not words[0] & words[1]


def _another(
    question: Question, asked: list[Question], questions: QuestionFile, generator: random.Random
) -> str | None:
    """A reference of the same task from a clip whose action is of another group; None if none is.

    The action of a clip is taken from its MARE reference.
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
