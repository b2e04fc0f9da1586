"""Accuracies by what the clip shows: its action, its body part."""

from collections.abc import Iterable, Mapping

from fmau.core.records import Answer, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Task, actions, parts
from fmau.score.confusion import label_of
from fmau.score.intervals import wilson
from fmau.score.scores import Share


def by_action(questions: QuestionFile, answers: Mapping[str, Answer]) -> tuple[Share, ...]:
    """Per closed task and action that a clip shows, by the gold of its FMAR question."""
    names = [action.label for action in actions()]
    return tuple(_shares(questions, answers, gold_labels(questions, Task.FMAR), names))


def by_part(questions: QuestionFile, answers: Mapping[str, Answer]) -> tuple[Share, ...]:
    """Per closed task and body part that a clip shows, by the gold of its CMAR question."""
    names = [part.label for part in parts()]
    return tuple(_shares(questions, answers, gold_labels(questions, Task.CMAR), names))


def gold_labels(questions: QuestionFile, task: Task) -> dict[str, str]:
    """Clip -> label of the gold option of its question of a multiple-choice task."""
    return {
        question.clip: label_of(question, questions.gold[question.qid])
        for question in questions.questions
        if question.task is task and question.qid in questions.gold
    }


def _shares(
    questions: QuestionFile,
    answers: Mapping[str, Answer],
    group_of: Mapping[str, str],
    names: list[str],
) -> Iterable[Share]:
    right: dict[tuple[Task, str], list[bool]] = {}
    for question in questions.questions:
        group = group_of.get(question.clip)
        if group is None or question.task.is_open or question.qid not in questions.gold:
            continue
        row = answers.get(question.qid)
        is_right = row is not None and row.answer == questions.gold[question.qid]
        right.setdefault((question.task, group.lower()), []).append(is_right)
    for task in CLOSED_TASKS:
        for name in names:
            if outcomes := right.get((task, name.lower())):
                correct, total = sum(outcomes), len(outcomes)
                yield Share(
                    name=name,
                    task=task,
                    correct=correct,
                    total=total,
                    percent=100 * correct / total,
                    wilson=wilson(correct, total),
                )
