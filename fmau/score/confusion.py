"""CMAR by part label. Letters are shuffled per question, so letters themselves mean nothing."""

from collections.abc import Mapping, Sequence

from sklearn.metrics import confusion_matrix

from fmau.core.records import Answer, Gold, Question
from fmau.core.taxonomy import Task, parts
from fmau.score.scores import Confusion


def label_of(question: Question, letter: str) -> str:
    """The label of the option with this letter."""
    return next(option.label for option in question.options if option.letter == letter)


def same_label(question: Question, letter: str, other: str) -> bool:
    """Whether two letters name the same action or part; true for one letter given twice."""
    return label_of(question, letter).lower() == label_of(question, other).lower()


def cmar_confusion(
    questions: Sequence[Question], gold: Gold, answers: Mapping[str, Answer]
) -> Confusion | None:
    """Which parts are taken for which, over the CMAR questions with gold; None if there are none.

    Args:
        answers: qid -> answer row; a missing row, or one without an answer, counts as no answer.
    """
    names = tuple(part.label for part in parts())
    canonical = {name.lower(): name for name in names}
    right: list[str] = []
    chosen: list[str] = []
    missed = dict.fromkeys(names, 0)
    for question in questions:
        if question.task is not Task.CMAR or question.qid not in gold:
            continue
        part = canonical[label_of(question, gold[question.qid]).lower()]
        answer = answers.get(question.qid)
        if answer is None or answer.answer is None:
            missed[part] += 1
            continue
        right.append(part)
        chosen.append(canonical[label_of(question, answer.answer).lower()])
    if not right and not any(missed.values()):
        return None
    counts = _matrix(right, chosen, names)
    return Confusion(
        parts=names,
        counts=counts,
        no_answer=tuple(missed[name] for name in names),
        recall=tuple(
            _percent(row[place], sum(row) + missed[name])
            for place, (name, row) in enumerate(zip(names, counts, strict=True))
        ),
    )


def _matrix(
    right: Sequence[str], chosen: Sequence[str], names: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    if not right:  # scikit-learn refuses labels none of which occurs
        return tuple((0,) * len(names) for _ in names)
    matrix = confusion_matrix(right, chosen, labels=names)
    return tuple(tuple(int(count) for count in row) for row in matrix)


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
