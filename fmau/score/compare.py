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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from fmau.core.errors import RunError
from fmau.core.records import LEVEL_MAX, LEVELS, Answer, QuestionFile, Record, Verdict
from fmau.core.taxonomy import CLOSED_TASKS, OPEN_TASKS, Task
from fmau.score.breakdowns import LABEL, fmar_columns
from fmau.score.compute import closed_outcomes
from fmau.score.intervals import SEED, Interval, clustered_means, percentile_interval
from fmau.score.judged import points_of

Test = Literal["McNemar exact", "sign flips over clips"]

FLIPS = 9999
"""Number of random sign flips; the smallest p value they can give is 1 in 10,000."""

POWER_FACTOR = float(stats.norm.ppf(0.975) + stats.norm.ppf(0.80))
"""A true difference of this many standard errors is detected in 80 % of samples (5 % level)."""


class Difference(Record):
    """The difference of two sets of answers in one measure.

    Attributes:
        name: the measure: "CMAR", "Closed-AVG", "MADU L1", ...
        first, second: its value in each set; percent, or 0 to 5 for levels.
        difference: second - first.
        interval: 95 % bootstrap interval of the difference over clips; None for fewer than 2 clips.
        p: p value of the hypothesis of no difference; None for fewer than 2 clips.
        p_holm: p adjusted for the number of tasks and levels compared; None for means over them.
        test: the test that gave p.
        gained, lost: answers that are better, or worse, in the second set; None for means.
        smallest: the smallest difference that this sample can detect with 80 % power at the 5 %
            level, from the bootstrap's standard error; None for fewer than 2 clips.
    """

    name: str
    first: float
    second: float
    difference: float
    interval: Interval | None
    p: float | None
    p_holm: float | None
    test: Test
    gained: int | None
    lost: int | None
    smallest: float | None


class Comparison(Record):
    """All differences of two sets of answers to the same questions.

    Attributes:
        differences: tasks and means, in the order of Table 4; levels if both sets were judged.
        clips: number of clips of the questions compared.
        judge: name of the judge whose levels are compared; None if no levels are compared.
        judge_is_proxy: the judge is the embedded rule, not an LLM.
    """

    differences: tuple[Difference, ...]
    clips: int
    judge: str | None = None
    judge_is_proxy: bool = False


@dataclass(frozen=True, slots=True)
class _Column:
    """One measure: for each question (clip, value in the first set, value in the second set)."""

    name: str
    rows: Sequence[tuple[str, float, float]]
    scale: float
    test: Test


def compare(
    questions: QuestionFile,
    first: Mapping[str, Answer],
    second: Mapping[str, Answer],
    *,
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]] | None = None,
    judge: str | None = None,
    judge_is_proxy: bool = False,
) -> Comparison:
    """Compare two sets of answers, task by task and overall.

    Args:
        first, second: qid -> answer row. A question without a row counts as wrong in that set.
        verdicts: one judge's verdicts on each set; only answers scored in both are compared.
        judge: the judge's name.
        judge_is_proxy: the judge is the embedded rule; then there is no Final.

    Raises:
        RunError: no question has a gold answer, so nothing can be compared.
    """
    closed = [_closed(questions, first, second, task) for task in CLOSED_TASKS]
    closed = [column for column in closed if column.rows]
    by_label = _by_label(questions, first, second)
    levels = _levels(questions, (first, second), verdicts) if verdicts else []
    if not closed and not levels:
        raise RunError("no question compared here has a gold answer; give a file that has them")
    clips = sorted({clip for column in (*closed, *levels) for clip, _, _ in column.rows})
    single = [_difference([column], clips) for column in (*closed, *levels)]
    adjusted = _holm(single)
    found = adjusted[: len(closed)]
    if by_label.rows:
        found.insert(
            [item.name for item in found].index("FMAR") + 1, _difference([by_label], clips)
        )
    if len(closed) == len(CLOSED_TASKS):
        found.append(_difference(closed, clips, "Closed-AVG"))
    found += adjusted[len(closed) :]
    if levels:
        found.append(_difference(levels, clips, "Open-AVG"))
    if levels and len(closed) == len(CLOSED_TASKS) and not judge_is_proxy:
        in_percent = [_Column(c.name, c.rows, 100 / LEVEL_MAX, c.test) for c in levels]
        found.append(_difference([*closed, *in_percent], clips, "Final"))
    return Comparison(
        differences=tuple(found),
        clips=len(clips),
        judge=judge if levels else None,
        judge_is_proxy=judge_is_proxy and bool(levels),
    )


def _closed(
    questions: QuestionFile, first: Mapping[str, Answer], second: Mapping[str, Answer], task: Task
) -> _Column:
    pairs = zip(
        closed_outcomes(questions, first, task),
        closed_outcomes(questions, second, task),
        strict=True,
    )
    rows = [(clip, float(one), float(other)) for (clip, one), (_, other) in pairs]
    return _Column(str(task), rows, 100, _test_for(rows))


def _by_label(
    questions: QuestionFile, first: Mapping[str, Answer], second: Mapping[str, Answer]
) -> _Column:
    columns = (fmar_columns(questions, answers)[LABEL] for answers in (first, second))
    pairs = zip(*columns, strict=True)
    rows = [(clip, float(one), float(other)) for (clip, one), (_, other) in pairs]
    return _Column(LABEL, rows, 100, _test_for(rows))


def _test_for(rows: Sequence[tuple[str, float, float]]) -> Test:
    """Choose the test: McNemar's needs independent pairs, which is one question per clip."""
    alone = len({clip for clip, _, _ in rows}) == len(rows)
    return "McNemar exact" if alone else "sign flips over clips"


def _levels(
    questions: QuestionFile,
    answers: tuple[Mapping[str, Answer], Mapping[str, Answer]],
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]],
) -> list[_Column]:
    """One column per task and level; empty if some level has no answer scored in both sets."""
    both = [points_of(questions, *given) for given in zip(answers, verdicts, strict=True)]
    columns = []
    for task in OPEN_TASKS:
        for level in LEVELS:
            pairs = zip(both[0][task, level], both[1][task, level], strict=True)
            rows = [
                (one.clip, one.score, other.score)
                for one, other in pairs
                if one.score is not None and other.score is not None
            ]
            columns.append(_Column(f"{task} L{level}", rows, 1, "sign flips over clips"))
    return columns if all(column.rows for column in columns) else []


def _difference(
    columns: Sequence[_Column], clips: Sequence[str], mean_of: str | None = None
) -> Difference:
    """The difference in one column, or in the mean (named `mean_of`) of several columns."""
    first_C, second_C = (_shares(columns, clips, of_second=side) for side in (False, True))
    change_C = second_C - first_C
    first = fmean(c.scale * fmean(before for _, before, _ in c.rows) for c in columns)
    second = fmean(c.scale * fmean(after for _, _, after in c.rows) for c in columns)
    column = columns[0]
    gained = sum(after > before for _, before, after in column.rows)
    lost = sum(after < before for _, before, after in column.rows)
    several = np.count_nonzero(_counts(columns, clips).any(axis=1)) > 1
    draws_B = _draws(columns, clips) if several else None
    test: Test = "sign flips over clips" if mean_of else column.test
    p = None
    if several:
        p = _mcnemar(gained, lost) if test == "McNemar exact" else _sign_flips(change_C)
    return Difference(
        name=mean_of or column.name,
        first=first,
        second=second,
        difference=second - first,
        interval=None if draws_B is None else percentile_interval(draws_B),
        p=p,
        p_holm=None,
        test=test,
        gained=None if mean_of else gained,
        lost=None if mean_of else lost,
        smallest=None if draws_B is None else POWER_FACTOR * float(np.nanstd(draws_B, ddof=1)),
    )


def _shares(
    columns: Sequence[_Column], clips: Sequence[str], *, of_second: bool
) -> NDArray[np.float64]:
    """The part of each clip in the mean over the columns; the parts add up to that mean."""
    place = {clip: number for number, clip in enumerate(clips)}
    share_C = np.zeros(len(clips))
    for column in columns:
        for clip, before, after in column.rows:
            value = column.scale * (after if of_second else before)
            share_C[place[clip]] += value / len(column.rows) / len(columns)
    return share_C


def _counts(columns: Sequence[_Column], clips: Sequence[str]) -> NDArray[np.float64]:
    place = {clip: number for number, clip in enumerate(clips)}
    count_CK = np.zeros((len(clips), len(columns)))
    for number, column in enumerate(columns):
        for clip, _, _ in column.rows:
            count_CK[place[clip], number] += 1
    return count_CK


def _draws(columns: Sequence[_Column], clips: Sequence[str]) -> NDArray[np.float64] | None:
    """The difference in every bootstrap draw; each draw takes the same clips for both sets."""
    place = {clip: number for number, clip in enumerate(clips)}
    change_CK = np.zeros((len(clips), len(columns)))
    for number, column in enumerate(columns):
        for clip, before, after in column.rows:
            change_CK[place[clip], number] += column.scale * (after - before)
    means_BK = clustered_means(change_CK, _counts(columns, clips))
    return None if means_BK is None else means_BK.mean(axis=1)


def _mcnemar(gained: int, lost: int) -> float:
    """Exact p of McNemar's test (Q. McNemar, Psychometrika 12 (1947) 153-157)."""
    return float(mcnemar([[0, gained], [lost, 0]], exact=True).pvalue)


def _sign_flips(change_C: NDArray[np.float64]) -> float:
    """p value of a sign-flip permutation test on the clips' differences; 1 if fewer than two clips
    differ, because a single difference is as extreme as its negative."""
    changed = change_C[change_C != 0]
    if len(changed) < 2:
        return 1.0
    found = stats.permutation_test(
        (changed,),
        lambda values, axis: values.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        rng=np.random.default_rng(SEED),
        batch=500,
    )
    return float(found.pvalue)


def _holm(differences: Sequence[Difference]) -> list[Difference]:
    """Fill in `p_holm`, by Holm's method (S. Holm, Scand. J. Stat. 6 (1979) 65-70)."""
    known = [item.p for item in differences if item.p is not None]
    if not known:
        return list(differences)
    adjusted = iter(multipletests(known, method="holm")[1])
    return [
        item if item.p is None else item.model_copy(update={"p_holm": float(next(adjusted))})
        for item in differences
    ]
