"""From answers to scores.

Axis suffixes: C clips, K columns (tasks), B bootstrap draws.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fmau.errors import InputError, Problem
from fmau.extraction import choices
from fmau.records import Answer, AnswerStatus, Gold, Question, QuestionFile
from fmau.score.baselines import chance, majority
from fmau.score.confusion import cmar_confusion, same_label
from fmau.score.intervals import clustered_draws, percentile_interval, wilson
from fmau.score.scores import (
    JUDGE_MAX,
    Accuracy,
    Average,
    Benchmark,
    Levels,
    Scores,
    TaskScore,
)
from fmau.taxonomy import CLOSED_TASKS, OPEN_TASKS, Task

MA_BENCH_CLIPS = 1000
MA_BENCH_CLIPS_SHA256 = "3f862efeb6056fe08ce697bbe839df29e41dc936e3c5b2a7b74f72f7a3b1479f"
"""Of MA-Bench's clip names, sorted and joined by newlines. A mini benchmark can have as many clips
and questions, but not these names."""


def score(
    questions: QuestionFile,
    answers: Mapping[str, Answer],
    levels: Mapping[Task, Levels] | None = None,
) -> Scores:
    """Score answers against the gold of their question file.

    The denominator of every accuracy is all questions with gold: a missing, failed or unreadable
    answer is not right. How many there are of each is counted apart, per task. A task without
    gold has no accuracy (None), and the means over tasks are None as soon as one task has none.

    Args:
        questions: the question file, with gold for any part of its questions.
        answers: qid -> answer row; of a run or of `load_predictions`.
        levels: mean judge scores of the open tasks, once there are some.

    Raises:
        InputError: an answer belongs to no question, or is no valid answer to its question.
    """
    _check(questions, answers)
    scorer = _Scorer(questions, answers)
    tasks = {task: scorer.task_score(task, (levels or {}).get(task)) for task in Task}
    closed = [tasks[task].accuracy for task in CLOSED_TASKS]
    closed_percents = [accuracy.percent for accuracy in closed if accuracy is not None]
    all_levels = [level for task in OPEN_TASKS for level in tasks[task].levels or ()]
    complete = len(closed_percents) == len(CLOSED_TASKS)
    judged = len(all_levels) == 3 * len(OPEN_TASKS)
    sub_scores = [*closed_percents, *(level * 100 / JUDGE_MAX for level in all_levels)]
    majorities = [base.percent for task in CLOSED_TASKS if (base := tasks[task].majority)]
    return Scores(
        benchmark=benchmark_of(questions.questions),
        questions=len(questions.questions),
        clips=len({question.clip for question in questions.questions}),
        with_gold=sum(task.with_gold for task in tasks.values()),
        tasks=tasks,
        fmar_by_label=scorer.fmar_by_label(),
        cmar_confusion=cmar_confusion(questions.questions, questions.gold, answers),
        closed_avg=scorer.closed_avg(closed_percents) if complete else None,
        chance_avg=_mean([value for task in CLOSED_TASKS if (value := chance(task))]),
        majority_avg=_mean(majorities) if complete else None,
        open_avg=_mean(all_levels) if judged else None,
        final=_mean(sub_scores) if complete and judged else None,
    )


def benchmark_of(questions: Sequence[Question]) -> Benchmark:
    """Whether these are the questions of MA-Bench: its 1,000 clips, 12 questions on each."""
    per_task = Counter(question.task for question in questions)
    clips = sorted({question.clip for question in questions})
    names = hashlib.sha256("\n".join(clips).encode()).hexdigest()
    complete = all(per_task[task] == MA_BENCH_CLIPS * task.per_clip for task in Task)
    return "MA-Bench" if complete and names == MA_BENCH_CLIPS_SHA256 else "other"


def _check(questions: QuestionFile, answers: Mapping[str, Answer]) -> None:
    asked = {question.qid: question for question in questions.questions}
    problems = []
    for qid, row in answers.items():
        question = asked.get(qid)
        if question is None:
            remedy = "score these answers with the question file they were made for"
            problems.append(Problem(qid, "no such question", remedy))
            continue
        if (row.status is AnswerStatus.OK) != (row.answer is not None):
            remedy = 'rows with status "ok" have an answer, all others have none'
            problems.append(Problem(qid, f"status {row.status}, answer {row.answer!r}", remedy))
        allowed = choices(question)
        if allowed and row.answer is not None and row.answer not in allowed:
            remedy = f"valid answers are {', '.join(allowed)}"
            problems.append(Problem(qid, f"the answer is {row.answer!r}", remedy))
    if problems:
        raise InputError(problems)


def _is_letter_right(_question: Question, answer: str, gold: str) -> bool:
    return answer == gold


class _Scorer:
    """The closed questions as counts per clip and column; the columns are the six closed tasks in
    the order of the paper, then FMAR by label."""

    def __init__(self, questions: QuestionFile, answers: Mapping[str, Answer]) -> None:
        self.questions = questions.questions
        self.gold: Gold = questions.gold
        self.answers = answers
        clips = sorted({question.clip for question in self.questions})
        self.place = {clip: place for place, clip in enumerate(clips)}
        correct, total = zip(
            *(self._per_clip(task, _is_letter_right) for task in CLOSED_TASKS),
            self._per_clip(Task.FMAR, same_label),
            strict=True,
        )
        self.correct_CK = np.stack(correct, axis=1)
        self.total_CK = np.stack(total, axis=1)
        has_gold_C = self.total_CK.any(axis=1)
        self.percent_BK = clustered_draws(self.correct_CK[has_gold_C], self.total_CK[has_gold_C])

    def _per_clip(
        self, task: Task, is_right: Callable[[Question, str, str], bool]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Right answers and questions with gold of one task, per clip."""
        correct_C = np.zeros(len(self.place), np.int64)
        total_C = np.zeros(len(self.place), np.int64)
        for question in self.questions:
            if question.task is not task or question.qid not in self.gold:
                continue
            clip = self.place[question.clip]
            total_C[clip] += 1
            row = self.answers.get(question.qid)
            if row and row.answer and is_right(question, row.answer, self.gold[question.qid]):
                correct_C[clip] += 1
        return correct_C, total_C

    def _accuracy(self, column: int) -> Accuracy | None:
        correct, total = int(self.correct_CK[:, column].sum()), int(self.total_CK[:, column].sum())
        if not total:
            return None
        clustered = None
        # Other tasks may add clips; two of this one are needed for its spread to be seen.
        if self.percent_BK is not None and np.count_nonzero(self.total_CK[:, column]) > 1:
            clustered = percentile_interval(self.percent_BK[:, column])
        return Accuracy(
            correct=correct,
            total=total,
            percent=100 * correct / total,
            wilson=wilson(correct, total),
            clustered=clustered,
        )

    def fmar_by_label(self) -> Accuracy | None:
        return self._accuracy(len(CLOSED_TASKS))

    def closed_avg(self, percents: Sequence[float]) -> Average:
        clustered = None
        if self.percent_BK is not None:
            clustered = percentile_interval(self.percent_BK[:, : len(CLOSED_TASKS)].mean(axis=1))
        return Average(percent=_mean(percents), clustered=clustered)

    def task_score(self, task: Task, levels: Levels | None) -> TaskScore:
        asked = [question for question in self.questions if question.task is task]
        rows = [self.answers[question.qid] for question in asked if question.qid in self.answers]
        ended = Counter(row.status for row in rows)
        accuracy = None if task.is_open else self._accuracy(CLOSED_TASKS.index(task))
        answered_with_gold = sum(
            row.qid in self.gold for row in rows if row.status is AnswerStatus.OK
        )
        return TaskScore(
            task=task,
            asked=len(asked),
            with_gold=sum(question.qid in self.gold for question in asked),
            answered=ended[AnswerStatus.OK],
            unparsed=ended[AnswerStatus.UNPARSED],
            truncated=ended[AnswerStatus.TRUNCATED],
            clip_failed=ended[AnswerStatus.CLIP_FAILED],
            request_failed=ended[AnswerStatus.REQUEST_FAILED],
            unanswered=len(asked) - len(rows),
            accuracy=accuracy,
            answered_percent=(
                100 * accuracy.correct / answered_with_gold
                if accuracy and answered_with_gold
                else None
            ),
            chance=chance(task),
            majority=majority(task, asked, self.gold),
            levels=levels,
        )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
