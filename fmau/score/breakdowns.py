"""Breakdowns that show more than the accuracies of the tasks; `fmau.score.compute` uses them.

In this order: baselines that never look at the clip; which body part is confused with which (CMAR);
FMAR with and without the rows that reveal their answer; accuracies by the action or part that the
clip shows; MARE by the label that an answer ends in. Option letters are shuffled per question, so
answers are compared by the label of the option, not by its letter.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from sklearn.metrics import confusion_matrix

from fmau.core.records import Answer, Gold, Question, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Action, AnyTask, OwnTask, Task, actions, parts
from fmau.dataset.labels import written_action
from fmau.prompting.extraction import visible_answer
from fmau.score.intervals import wilson
from fmau.score.scores import Baseline, Confusion, FmarReadings, LabelConfusion, LabelMatch, Share
from fmau.score.tally import Tally


def chance(task: AnyTask, questions: Sequence[Question] = ()) -> float | None:
    """Expected accuracy of uniform guessing among the options, in percent; None for open tasks.

    Args:
        questions: those of the task; only a task of one's own needs them, whose questions may
            differ in their number of options.
    """
    if task.is_open:
        return None
    if isinstance(task, Task):
        return 100 / (task.option_count or 2)
    return fmean(100 / (len(question.options) or 2) for question in questions)


def gold_counts(task: AnyTask, questions: Sequence[Question], gold: Gold) -> Counter[str]:
    """How often each answer to a closed task is the right one in this file.

    Where every question offers the same labels, as CMAR does with its seven parts in shuffled
    order, answers are counted by label. Else they are counted by letter, as for FMAR, because no
    label could always be chosen.
    """
    asked = [question for question in questions if question.task == task and question.qid in gold]
    by_label = task is Task.CMAR or (
        isinstance(task, OwnTask)
        and len({frozenset(option.label for option in question.options) for question in asked}) == 1
        and task.is_choice
    )
    return Counter(
        label_of(question, gold[question.qid]) if by_label else gold[question.qid]
        for question in asked
    )


def majority(task: AnyTask, questions: Sequence[Question], gold: Gold) -> Baseline | None:
    """The best constant answer to a closed task in this file; None without gold.

    Answers are counted by `gold_counts`. Of equally frequent ones, the first in sorted order wins.
    """
    answers = gold_counts(task, questions, gold)
    if task.is_open or not answers:
        return None
    answer, count = min(answers.items(), key=lambda item: (-item[1], item[0]))
    return Baseline(answer=answer, percent=100 * count / answers.total())


def label_of(question: Question, letter: str) -> str:
    """The label of the option with this letter."""
    return next(option.label for option in question.options if option.letter == letter)


def same_label(question: Question, letter: str, other: str) -> bool:
    """Whether two letters name the same action or part; True for two equal letters."""
    return label_of(question, letter).lower() == label_of(question, other).lower()


def cmar_confusion(
    questions: Sequence[Question], gold: Gold, answers: Mapping[str, Answer]
) -> Confusion | None:
    """The confusion matrix of CMAR over all questions with gold; None if there are none.

    Args:
        answers: qid -> answer row; a missing row, or a row without an answer, counts as no answer.
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
    if not right:  # scikit-learn raises an error if none of the labels occurs
        return tuple((0,) * len(names) for _ in names)
    matrix = confusion_matrix(right, chosen, labels=names)
    return tuple(tuple(int(count) for count in row) for row in matrix)


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


STRICT, LABEL, CLEAN = str(Task.FMAR), "FMAR by label", ", rows that do not leak"


def leaks(question: Question) -> bool:
    """Whether a row reveals its answer: an option has a class code, or a label is listed twice."""
    labels = [option.label.lower() for option in question.options]
    has_code = any(option.class_code is not None for option in question.options)
    return has_code or len(set(labels)) < len(labels)


def fmar_columns(
    questions: QuestionFile, answers: Mapping[str, Answer]
) -> dict[str, list[tuple[str, bool]]]:
    """The additional columns that a `Tally` needs for `fmar_readings`."""
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
    """The four accuracies of FMAR; None without FMAR gold."""
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
    """How often each gold action was answered with each action.

    Pairs are sorted by the code of the gold action, then by descending count.
    """
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


def by_action(questions: QuestionFile, answers: Mapping[str, Answer]) -> tuple[Share, ...]:
    """Accuracy per closed task and action; a clip's action is the gold of its FMAR question."""
    names = [action.label for action in actions()]
    return tuple(_shares(questions, answers, gold_labels(questions, Task.FMAR), names))


def by_part(questions: QuestionFile, answers: Mapping[str, Answer]) -> tuple[Share, ...]:
    """Accuracy per closed task and body part; a clip's part is the gold of its CMAR question."""
    names = [part.label for part in parts()]
    return tuple(_shares(questions, answers, gold_labels(questions, Task.CMAR), names))


def gold_labels(questions: QuestionFile, task: Task) -> dict[str, str]:
    """Clip -> label of the gold option of its question of `task`, CMAR or FMAR."""
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
    right: dict[tuple[AnyTask, str], list[bool]] = {}
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


def label_match(questions: QuestionFile, answers: Mapping[str, Answer]) -> LabelMatch | None:
    """How often a MARE answer names the reference's micro-action, or one of its body part.

    An answer without a label counts as wrong. None if no reference names a micro-action.
    """
    fine, coarse, unlabelled = [], [], 0
    for question in questions.questions:
        reference = questions.gold.get(question.qid)
        gold = written_action(reference) if reference and question.task is Task.MARE else None
        if gold is None:
            continue
        named = _named(answers.get(question.qid))
        unlabelled += named is None
        fine.append((question.clip, named == gold))
        coarse.append((question.clip, named is not None and named.part == gold.part))
    tally = Tally({"fine": fine, "coarse": coarse})
    fine_accuracy, coarse_accuracy = tally.accuracy("fine"), tally.accuracy("coarse")
    if fine_accuracy is None or coarse_accuracy is None:
        return None
    return LabelMatch(fine=fine_accuracy, coarse=coarse_accuracy, unlabelled=unlabelled)


def _named(row: Answer | None) -> Action | None:
    text = visible_answer(row) if row else None
    return written_action(text) if text else None
