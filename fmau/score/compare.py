"""Compares two sets of answers to the same questions, for `fmau compare`.

It tests whether one set is better, and computes the smallest difference that the sample can detect.
Answers are paired by question and clustered by clip. Intervals come from a bootstrap over clips
that draws the same clips for both sets. p values come from one of two tests:

- one question per clip (CMAR, FMAR): McNemar's exact test on the questions whose result differs;
- several questions per clip, levels and means: a sign-flip permutation test over clips. Under the
  null hypothesis the two sets can be exchanged clip by clip, so the difference of a clip is as
  likely as its negative.

Axis suffixes: C clips, B bootstrap draws.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from fmau.core.errors import RunError
from fmau.core.records import Answer, Question, QuestionFile, Verdict
from fmau.core.taxonomy import CLOSED_TASKS, OPEN_TASKS
from fmau.runs import FINAL
from fmau.score.columns import (
    Column,
    by_label_column,
    closed_column,
    level_columns,
    own_level_columns,
    unscored,
)
from fmau.score.comparison import Comparison, Difference, Test, verdict
from fmau.score.intervals import (
    TINY,
    clustered_means,
    percentile_interval,
)
from fmau.score.paired import POWER_FACTOR, holm, interval_of_alike, mcnemar_p, sign_flips_p


def compare(
    questions: QuestionFile,
    first: Mapping[str, Answer],
    second: Mapping[str, Answer],
    *,
    names: tuple[str, str] = ("first", "second"),
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]] | None = None,
    judge: str | None = None,
    judge_is_proxy: bool = False,
    judge_is_complete: bool = True,
) -> Comparison:
    """Compare two sets of answers, task by task and overall.

    Args:
        first, second: qid -> answer row. A question is compared if both have a reply to it.
        names: names of the two sets.
        verdicts: one judge's verdicts on each set; only answers scored in both are compared.
        judge: the judge's name.
        judge_is_proxy: the judge is the embedded rule; then there is no Final.
        judge_is_complete: it has replied about all answers of both sets; else there is neither
            Open-AVG nor Final.

    Raises:
        RunError: no question has a gold answer, or none has an answer in both sets.
    """
    asked = _asked(questions, with_open=verdicts is not None)
    replied = [
        {qid for qid, row in given.items() if row.status in FINAL} for given in (first, second)
    ]
    both = _answered(asked, replied, names)
    shared = replace(questions, questions=both)
    levels = level_columns(shared, (first, second), verdicts, OPEN_TASKS)
    own_levels = own_level_columns(shared, (first, second), verdicts)
    differences, clips = _differences(
        shared, first, second, levels, own_levels, complete=judge_is_complete, proxy=judge_is_proxy
    )
    return Comparison(
        names=names,
        verdict=verdict(names, differences),
        differences=differences,
        clips=clips,
        asked=len(asked),
        missing=(
            sum(question.qid not in replied[0] for question in asked),
            sum(question.qid not in replied[1] for question in asked),
        ),
        compared=len(both),
        judge=judge if levels or own_levels else None,
        judge_is_proxy=judge_is_proxy and bool(levels or own_levels),
        unscored=unscored(shared, [*levels, *own_levels]),
    )


def _asked(questions: QuestionFile, *, with_open: bool) -> tuple[Question, ...]:
    """The questions to compare, which have gold; open ones only if a judge scored them."""
    asked = tuple(
        question
        for question in questions.questions
        if question.qid in questions.gold and (with_open or not question.task.is_open)
    )
    if not asked:
        raise RunError("no question compared here has a gold answer; give a file that has them")
    return asked


def _answered(
    asked: Sequence[Question], replied: Sequence[Set[str]], names: tuple[str, str]
) -> tuple[Question, ...]:
    """The questions that both sets answer.

    Args:
        replied: the qids that each set has a reply to.
    """
    both = tuple(question for question in asked if all(question.qid in qids for qids in replied))
    if not both:
        raise RunError(
            f"no question has an answer in both {names[0]} and {names[1]}; continue them with "
            "fmau answer"
        )
    return both


def _differences(
    questions: QuestionFile,
    first: Mapping[str, Answer],
    second: Mapping[str, Answer],
    levels: Sequence[Column],
    own_levels: Sequence[Column],
    *,
    complete: bool,
    proxy: bool,
) -> tuple[tuple[Difference, ...], int]:
    """All differences, in the order of Table 4, and the number of clips."""
    closed = [closed_column(questions, first, second, task) for task in CLOSED_TASKS]
    closed = [column for column in closed if column.rows]
    own = [
        closed_column(questions, first, second, task)
        for task in questions.own_tasks
        if not task.is_open
    ]
    own = [*(column for column in own if column.rows), *own_levels]
    by_label = by_label_column(questions, first, second)
    clips = sorted({clip for column in (*closed, *own, *levels) for clip, _, _ in column.rows})
    adjusted = holm([_difference([column], clips) for column in (*closed, *levels, *own)])
    found = adjusted[: len(closed)]
    if by_label.rows:
        found.insert(
            [item.name for item in found].index("FMAR") + 1, _difference([by_label], clips)
        )
    all_closed = len(closed) == len(CLOSED_TASKS)
    if all_closed:
        found.append(_difference(closed, clips, "Closed-AVG"))
    found += adjusted[len(closed) : len(closed) + len(levels)]
    if levels and complete:
        found.append(_difference(levels, clips, "Open-AVG"))
    if levels and complete and all_closed and not proxy:
        in_percent = [replace(column, top=100) for column in levels]
        found.append(_difference([*closed, *in_percent], clips, "Final"))
    found += adjusted[len(closed) + len(levels) :]
    return tuple(found), len(clips)


def _difference(
    columns: Sequence[Column], clips: Sequence[str], mean_of: str | None = None
) -> Difference:
    """The difference in one column, or in the mean (named `mean_of`) of several columns."""
    first_C, second_C = (_shares(columns, clips, of_second=side) for side in (False, True))
    change_C = second_C - first_C
    first = fmean(c.scale * fmean(before for _, before, _ in c.rows) for c in columns)
    second = fmean(c.scale * fmean(after for _, _, after in c.rows) for c in columns)
    column = columns[0]
    gained = sum(after > before for _, before, after in column.rows)
    lost = sum(after < before for _, before, after in column.rows)
    test: Test = "sign flips over clips" if mean_of else column.test
    p, interval, smallest = None, None, None
    if (answered := np.count_nonzero(_counts(columns, clips).any(axis=1))) > 1:
        p = mcnemar_p(gained, lost) if test == "McNemar exact" else sign_flips_p(change_C)
        draws_B = _draws(columns, clips)
        if np.nanmax(draws_B) - np.nanmin(draws_B) > TINY:
            interval = percentile_interval(draws_B)
            smallest = POWER_FACTOR * float(np.nanstd(draws_B, ddof=1))
        else:
            interval = interval_of_alike(
                second - first, fmean(c.top for c in columns), int(answered)
            )
    return Difference(
        name=mean_of or column.name,
        first=first,
        second=second,
        difference=second - first,
        interval=interval,
        p=p,
        p_holm=None,
        test=test,
        gained=None if mean_of else gained,
        lost=None if mean_of else lost,
        smallest=smallest,
    )


def _shares(
    columns: Sequence[Column], clips: Sequence[str], *, of_second: bool
) -> NDArray[np.float64]:
    """The part of each clip in the mean over the columns; the parts add up to that mean."""
    place = {clip: number for number, clip in enumerate(clips)}
    share_C = np.zeros(len(clips))
    for column in columns:
        for clip, before, after in column.rows:
            value = column.scale * (after if of_second else before)
            share_C[place[clip]] += value / len(column.rows) / len(columns)
    return share_C


def _counts(columns: Sequence[Column], clips: Sequence[str]) -> NDArray[np.float64]:
    place = {clip: number for number, clip in enumerate(clips)}
    count_CK = np.zeros((len(clips), len(columns)))
    for number, column in enumerate(columns):
        for clip, _, _ in column.rows:
            count_CK[place[clip], number] += 1
    return count_CK


def _draws(columns: Sequence[Column], clips: Sequence[str]) -> NDArray[np.float64]:
    """The difference in every bootstrap draw; each draw takes the same clips for both sets."""
    place = {clip: number for number, clip in enumerate(clips)}
    change_CK = np.zeros((len(clips), len(columns)))
    for number, column in enumerate(columns):
        for clip, before, after in column.rows:
            change_CK[place[clip], number] += column.scale * (after - before)
    means_BK = clustered_means(change_CK, _counts(columns, clips))
    assert means_BK is not None, "asked only where there are two clips"
    return np.asarray(means_BK.mean(axis=1))
