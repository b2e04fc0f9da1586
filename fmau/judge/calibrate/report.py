"""What a judge's scores on a calibration set say about the judge."""

from collections.abc import Sequence
from statistics import fmean

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fmau.core.records import Record
from fmau.core.taxonomy import Task
from fmau.judge.calibrate.items import CalibrationItem, Kind
from fmau.score.levels import JudgeScores


class KindReport(Record):
    """One alteration at one level of one task.

    Attributes:
        expected: lowest and highest score that obeys the rubric.
        scored, unscored: answers with and without a score.
        mean: of the scores; None if there are none.
        obeyed: share of the scored answers inside `expected`; None if there are none.
    """

    kind: Kind
    task: Task
    level: int
    expected: tuple[int, int]
    scored: int
    unscored: int
    mean: float | None
    obeyed: float | None


class CalibrationReport(Record):
    """How far a judge obeys the rubric.

    Attributes:
        kinds: per alteration, task and level.
        obedience: share of all scored answers inside their range; None if nothing is scored.
        scored, unscored: over all alterations and levels.
        monotone: share of altered references, at levels where 5 would be disobedience, that score
            below the unaltered one; None if nothing can be compared.
        length_bias: mean score of padded references minus that of the same unpadded.
    """

    kinds: tuple[KindReport, ...]
    obedience: float | None
    scored: int
    unscored: int
    monotone: float | None
    length_bias: float | None


def calibration_report(items: Sequence[CalibrationItem], scores: JudgeScores) -> CalibrationReport:
    """Hold a judge's scores against the ranges that obey the rubric."""
    groups: dict[tuple[Kind, Task, int], list[CalibrationItem]] = {}
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
    """Print the report, a row per alteration; 100 columns are enough."""
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
    kind: Kind, task: Task, level: int, items: Sequence[CalibrationItem], scores: JudgeScores
) -> KindReport:
    low, high = items[0].expected[level]
    found = [scores.get(item.item.qid, {}).get(level) for item in items]
    known = [score for score in found if score is not None]
    return KindReport(
        kind=kind,
        task=task,
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
