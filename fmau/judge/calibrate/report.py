"""A judge's scores of calibration items -> how well it keeps to the rubric."""

from collections.abc import Sequence
from statistics import fmean

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fmau.core.records import Record
from fmau.core.taxonomy import AnyTask
from fmau.judge.calibrate.items import CalibrationItem, Kind
from fmau.score.levels import JudgeScores


class KindReport(Record):
    """One alteration at one level of one task.

    Attributes:
        kind: the alteration.
        task, level: what was judged.
        expected: lowest and highest score that the rubric allows.
        scored, unscored: number of answers with a score, and without one.
        mean: of the scores, 0 to 5; None without scores.
        obeyed: share of the scores that lie in `expected`, 0 to 1; None without scores.
    """

    kind: Kind
    task: str
    level: int
    expected: tuple[int, int]
    scored: int
    unscored: int
    mean: float | None
    obeyed: float | None


class CalibrationReport(Record):
    """How well a judge keeps to the rubric.

    Attributes:
        kinds: one report for each alteration, task and level.
        obedience: share of all scores that lie in their allowed range, 0 to 1; None without scores.
        scored, unscored: number of answers with a score, and without one, over all `kinds`.
        monotone: share of the altered references that score lower than the same reference
            unaltered, 0 to 1, at the levels where the rubric does not allow a 5; None if there is
            nothing to compare.
        length_bias: mean score of padded references minus the mean score of the same references
            unpadded, in points; None if there is nothing to compare.
    """

    kinds: tuple[KindReport, ...]
    obedience: float | None
    scored: int
    unscored: int
    monotone: float | None
    length_bias: float | None


def calibration_report(items: Sequence[CalibrationItem], scores: JudgeScores) -> CalibrationReport:
    """Compare a judge's scores with the ranges that the rubric allows.

    Args:
        items: what the judge was asked.
        scores: qid of an item -> level -> score, None if unscored.
    """
    groups: dict[tuple[Kind, AnyTask, int], list[CalibrationItem]] = {}
    for item in items:
        for level in item.expected:
            groups.setdefault((item.kind, item.item.task, level), []).append(item)
    kinds = tuple(
        _kind(kind, task, level, found, scores) for (kind, task, level), found in groups.items()
    )
    total = sum(kind.scored for kind in kinds)
    obeyed = sum(kind.obeyed * kind.scored for kind in kinds if kind.obeyed is not None)
    return CalibrationReport(
        kinds=kinds,
        obedience=obeyed / total if total else None,
        scored=total,
        unscored=sum(kind.unscored for kind in kinds),
        monotone=_monotone(items, scores),
        length_bias=_length_bias(items, scores),
    )


def print_calibration(report: CalibrationReport, console: Console) -> None:
    """Print the report as a table, one row for each alteration, task and level.

    It fits into 100 columns.
    """
    table = Table(box=SIMPLE_HEAD, title="Does the judge obey the rubric?")
    for column in ("alteration", "task", "level", "should be", "mean", "obeyed", "answers"):
        table.add_column(column, justify="left" if column in ("alteration", "task") else "right")
    for kind in report.kinds:
        low, high = kind.expected
        unscored = f" + {kind.unscored} unscored" if kind.unscored else ""
        table.add_row(
            kind.kind,
            str(kind.task),
            f"L{kind.level}",
            str(low) if low == high else f"{low}-{high}",
            "–" if kind.mean is None else f"{kind.mean:.2f}",
            _percent(kind.obeyed),
            f"{kind.scored}{unscored}",
        )
    console.print(table)
    bias = "–" if report.length_bias is None else f"{report.length_bias:+.2f}"
    console.print(
        f"obeys in {_percent(report.obedience)} of {report.scored:,} scores "
        f"({report.unscored:,} unscored)\n"
        f"altered below unaltered: {_percent(report.monotone)}\n"
        f"padding to three times the length: {bias} points",
        highlight=False,
    )


def _kind(
    kind: Kind, task: AnyTask, level: int, items: Sequence[CalibrationItem], scores: JudgeScores
) -> KindReport:
    low, high = items[0].expected[level]
    found = [scores.get(item.item.qid, {}).get(level) for item in items]
    known = [score for score in found if score is not None]
    return KindReport(
        kind=kind,
        task=str(task),
        level=level,
        expected=(low, high),
        scored=len(known),
        unscored=len(found) - len(known),
        mean=fmean(known) if known else None,
        obeyed=fmean(low <= score <= high for score in known) if known else None,
    )


def _monotone(items: Sequence[CalibrationItem], scores: JudgeScores) -> float | None:
    below = []
    for item in items:
        unaltered = scores.get(_unaltered(item), {})
        for level, (_, high) in item.expected.items():
            best, score = unaltered.get(level), scores.get(item.item.qid, {}).get(level)
            if high < 5 and best is not None and score is not None:
                below.append(score < best)
    return fmean(below) if below else None


def _length_bias(items: Sequence[CalibrationItem], scores: JudgeScores) -> float | None:
    gained = []
    for item in items:
        if item.kind != "padded":
            continue
        unaltered = scores.get(_unaltered(item), {})
        for level, score in scores.get(item.item.qid, {}).items():
            best = unaltered.get(level)
            if score is not None and best is not None:
                gained.append(score - best)
    return fmean(gained) if gained else None


def _unaltered(item: CalibrationItem) -> str:
    return f"{item.item.qid.partition('#')[0]}#identical"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"
