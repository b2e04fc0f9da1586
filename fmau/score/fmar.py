"""FMAR by letter and by label, with and without the rows that give their answer away."""

from collections import Counter
from collections.abc import Mapping

from fmau.core.records import Answer, Question, QuestionFile
from fmau.core.taxonomy import Task, actions
from fmau.score.confusion import label_of, same_label
from fmau.score.scores import FmarReadings, LabelConfusion
from fmau.score.tally import Tally

STRICT, LABEL, CLEAN = str(Task.FMAR), "FMAR by label", ", rows that do not leak"


def leaks(question: Question) -> bool:
    """Whether a row gives its answer away: an option with a class code, or a label listed twice."""
    labels = [option.label.lower() for option in question.options]
    has_code = any(option.class_code is not None for option in question.options)
    return has_code or len(set(labels)) < len(labels)


def fmar_columns(
    questions: QuestionFile, answers: Mapping[str, Answer]
) -> dict[str, list[tuple[str, bool]]]:
    """The columns of a tally that `fmar_readings` reads, beside that of the task itself."""
    columns: dict[str, list[tuple[str, bool]]] = {LABEL: [], STRICT + CLEAN: [], LABEL + CLEAN: []}
    for question in _with_gold(questions):
        gold = questions.gold[question.qid]
        row = answers.get(question.qid)
        answer = row.answer if row else None
        by_label = answer is not None and same_label(question, answer, gold)
        columns[LABEL].append((question.clip, by_label))
        if not leaks(question):
            columns[STRICT + CLEAN].append((question.clip, answer == gold))
            columns[LABEL + CLEAN].append((question.clip, by_label))
    return columns


def fmar_readings(questions: QuestionFile, tally: Tally) -> FmarReadings | None:
    """FMAR read four ways; None without FMAR gold."""
    strict, by_label = tally.accuracy(STRICT), tally.accuracy(LABEL)
    if strict is None or by_label is None:
        return None
    return FmarReadings(
        strict=strict,
        by_label=by_label,
        strict_clean=tally.accuracy(STRICT + CLEAN),
        by_label_clean=tally.accuracy(LABEL + CLEAN),
        leaking=sum(map(leaks, _with_gold(questions))),
    )


def fmar_confusion(
    questions: QuestionFile, answers: Mapping[str, Answer]
) -> tuple[LabelConfusion, ...]:
    """Which action is taken for which; pairs in order of the gold action's code, then by count."""
    order = {action.label: number for number, action in enumerate(actions())}
    pairs: Counter[tuple[str, str | None]] = Counter()
    for question in _with_gold(questions):
        row = answers.get(question.qid)
        gold = label_of(question, questions.gold[question.qid])
        chosen = label_of(question, row.answer) if row and row.answer else None
        pairs[gold, chosen] += 1
    ranked = sorted(
        pairs.items(),
        key=lambda item: (order.get(item[0][0], len(order)), -item[1], item[0][1] or ""),
    )
    return tuple(
        LabelConfusion(gold=gold, chosen=chosen, count=count) for (gold, chosen), count in ranked
    )


def _with_gold(questions: QuestionFile) -> list[Question]:
    return [q for q in questions.questions if q.task is Task.FMAR and q.qid in questions.gold]
