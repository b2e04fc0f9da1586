"""Computes the levels of the open tasks from a judge's verdicts; `compute` and `compare` use it.

Axis suffixes: C clips, K levels of both tasks, B bootstrap draws.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from fmau.core.records import (
    LEVEL_MAX,
    LEVELS,
    Answer,
    Question,
    QuestionFile,
    Verdict,
    VerdictStatus,
)
from fmau.core.taxonomy import OPEN_TASKS, AnyTask
from fmau.prompting.extraction import visible_answer
from fmau.score.intervals import Interval, clustered_means, mean_interval
from fmau.score.levels import Judgement, LevelScore, by_answer, median_score

Z95 = 1.959964
"""A 95 % interval is the mean plus and minus this many standard errors."""


@dataclass(frozen=True, slots=True)
class Point:
    """The score of one question at one level.

    Attributes:
        score: median over the judge's samples; None if unscored; 0 if the model gave no answer.
        answered: the model gave an answer.
        spread: highest minus lowest sample; None for fewer than two samples.
    """

    clip: str
    score: float | None
    answered: bool
    spread: float | None


def judgement(
    questions: QuestionFile,
    answers: Mapping[str, Answer],
    verdicts: Sequence[Verdict],
    *,
    judge: str,
    proxy: bool,
    accuracies: Sequence[float] | None,
) -> Judgement:
    """Summarize one judge's verdicts on the open answers.

    Args:
        verdicts: this judge's verdicts; the latest row of every call.
        accuracies: the six closed accuracies in percent; None if not all are known.
    """
    points = points_of(questions, answers, verdicts)
    draws = _draws(list(points.values()))
    clips = len({question.clip for question in questions.questions})
    levels = _levels(points, draws)
    own = [task for task in questions.own_tasks if task.is_open]
    own_points = points_of(questions, answers, verdicts, own)
    own_levels = _levels(own_points, _draws(list(own_points.values())))
    means = [level.mean for level in levels.values()]
    answered, scored, heard = _coverage(questions, answers, verdicts)
    complete = heard == answered
    open_avg = _mean_of_all(means) if complete else None
    return Judgement(
        judge=judge,
        proxy=proxy,
        tasks={task: (levels[task, 1], levels[task, 2], levels[task, 3]) for task in OPEN_TASKS},
        answers=len(answered),
        scored=len(scored),
        complete=complete,
        open_avg=open_avg,
        open_avg_clustered=(
            _interval(draws.mean(axis=1), open_avg, clips)
            if draws is not None and open_avg is not None
            else None
        ),
        final=_final(accuracies, means) if complete and not proxy else None,
        unscored=dict(Counter(row.status.value for row in verdicts if row.scores is None)),
        removed=len({row.qid for row in verdicts if row.removed}),
        own_tasks={
            task.name: (own_levels[task, 1], own_levels[task, 2], own_levels[task, 3])
            for task in own
        },
    )


def _levels(
    points: Mapping[tuple[AnyTask, int], Sequence[Point]], mean_BK: np.ndarray | None
) -> dict[tuple[AnyTask, int], LevelScore]:
    return {
        key: _level(key[1], found, None if mean_BK is None else mean_BK[:, column])
        for column, (key, found) in enumerate(points.items())
    }


def _coverage(
    questions: QuestionFile, answers: Mapping[str, Answer], verdicts: Sequence[Verdict]
) -> tuple[set[str], set[str], set[str]]:
    """qids of the answers that can be scored; of those scored, and replied about, at all levels."""
    answered = {
        question.qid
        for question in questions.questions
        if question.task in OPEN_TASKS and question.qid in questions.gold
        if (row := answers.get(question.qid)) is not None and visible_answer(row) is not None
    }
    scored = {(row.qid, level) for row in verdicts for level in row.scores or ()}
    heard = {
        (row.qid, level)
        for row in verdicts
        if row.status is not VerdictStatus.REQUEST_FAILED
        for level in row.levels
    }
    return (
        answered,
        {qid for qid in answered if all((qid, level) in scored for level in LEVELS)},
        {qid for qid in answered if all((qid, level) in heard for level in LEVELS)},
    )


def points_of(
    questions: QuestionFile,
    answers: Mapping[str, Answer],
    verdicts: Sequence[Verdict],
    tasks: Sequence[AnyTask] = OPEN_TASKS,
) -> dict[tuple[AnyTask, int], list[Point]]:
    """(task, level) -> the points of all questions that have a reference, in file order.

    Args:
        verdicts: the verdicts of one judge.
        tasks: open tasks.
    """
    of_answer = by_answer(verdicts)
    return {
        (task, level): [
            _point(question, level, answers.get(question.qid), of_answer.get(question.qid, ()))
            for question in questions.questions
            if question.task == task and question.qid in questions.gold
        ]
        for task in tasks
        for level in LEVELS
    }


def _point(
    question: Question, level: int, row: Answer | None, verdicts: Sequence[Verdict]
) -> Point:
    if row is None or visible_answer(row) is None:
        return Point(question.clip, 0.0, answered=False, spread=None)
    score = median_score(verdicts, level)
    samples = [row.scores[level] for row in verdicts if row.scores and level in row.scores]
    spread = max(samples) - min(samples) if len(samples) > 1 else None
    return Point(question.clip, score, answered=True, spread=spread)


def _level(level: int, points: Sequence[Point], mean_B: np.ndarray | None) -> LevelScore:
    known = [point.score for point in points if point.score is not None]
    scored = [point for point in points if point.answered and point.score is not None]
    counts = Counter(math.floor(point.score) for point in scored if point.score is not None)
    spreads = [point.spread for point in points if point.spread is not None]
    # Missing answers count as 0, but only once the judge has scored at least one answer.
    judged = bool(scored)
    clips = len({point.clip for point in points if point.score is not None})
    return LevelScore(
        level=level,
        mean=fmean(known) if judged else None,
        clustered=_interval(mean_B, fmean(known), clips)
        if judged and clips > 1 and mean_B is not None
        else None,
        naive=_naive(known) if judged and len(known) > 1 else None,
        floor=sum(known) / len(points) if judged else None,
        scored=len(scored),
        no_answer=sum(not point.answered for point in points),
        unscored=sum(point.score is None for point in points),
        histogram=tuple(counts[score] for score in range(LEVEL_MAX + 1)),  # type: ignore[arg-type]
        spread=fmean(spreads) if spreads else None,
    )


def _interval(mean_B: np.ndarray, mean: float, clips: int) -> Interval:
    """The interval over clips of a mean level, 0 to 5."""
    found = mean_interval(mean_B / LEVEL_MAX, mean / LEVEL_MAX, clips)
    return Interval(low=found.low * LEVEL_MAX / 100, high=found.high * LEVEL_MAX / 100)


def _draws(columns: Sequence[Sequence[Point]]) -> np.ndarray | None:
    """mean_BK: the mean of every level in every bootstrap draw; all levels share the draws."""
    clips = sorted({point.clip for points in columns for point in points})
    place = {clip: number for number, clip in enumerate(clips)}
    sum_CK = np.zeros((len(clips), len(columns)))
    count_CK = np.zeros((len(clips), len(columns)))
    for column, points in enumerate(columns):
        for point in points:
            if point.score is not None:
                sum_CK[place[point.clip], column] += point.score
                count_CK[place[point.clip], column] += 1
    return clustered_means(sum_CK, count_CK)


def _naive(scores: Sequence[float]) -> Interval:
    half = Z95 * float(np.std(scores, ddof=1)) / math.sqrt(len(scores))
    return Interval(low=max(0.0, fmean(scores) - half), high=min(LEVEL_MAX, fmean(scores) + half))


def _mean_of_all(means: Sequence[float | None]) -> float | None:
    known = [mean for mean in means if mean is not None]
    return fmean(known) if len(known) == len(means) else None


def _final(accuracies: Sequence[float] | None, means: Sequence[float | None]) -> float | None:
    """The official score: the mean of six accuracies and six levels, levels scaled to percent."""
    known = [mean * 100 / LEVEL_MAX for mean in means if mean is not None]
    if accuracies is None or len(known) < len(means):
        return None
    return fmean([*accuracies, *known])
