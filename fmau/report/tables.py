"""The tables that the terminal and the HTML report share, as rows of text."""

from collections.abc import Mapping
from dataclasses import dataclass

from fmau.score.scores import Accuracy, Interval, Scores, TaskScore
from fmau.score.table4 import NOT_AVAILABLE, two_decimals
from fmau.taxonomy import CLOSED_TASKS, Task

ACCURACY_COLUMNS = (
    "right",
    "of",
    "accuracy %",
    "95 % by clip",
    "95 % Wilson",
    "of answered %",
    "chance",
    "majority",
)
COUNT_COLUMNS = (
    "asked",
    "answered",
    "unparsed",
    "truncated",
    "clip failed",
    "no reply",
    "missing",
)


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of text: `columns` head the cells of every row, row names stand before them."""

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]


def accuracy_table(scores: Scores) -> TextTable:
    """Accuracies of the closed tasks with intervals and baselines, then FMAR by label and the mean.

    Two intervals stand side by side: over clips (quote this one) and Wilson's, which takes all
    questions as independent.
    """
    nothing = NOT_AVAILABLE
    rows = {}
    for task in CLOSED_TASKS:
        rows[str(task)] = _task_row(scores.tasks[task])
        if task is Task.FMAR and scores.fmar_by_label is not None:
            rows["FMAR by label"] = (*_accuracy_cells(scores.fmar_by_label), *(nothing,) * 3)
    average = scores.closed_avg
    rows["Closed-AVG"] = (
        nothing,
        nothing,
        two_decimals(average.percent if average else None),
        span(average.clustered if average else None),
        nothing,
        nothing,
        two_decimals(scores.chance_avg),
        two_decimals(scores.majority_avg),
    )
    return TextTable(ACCURACY_COLUMNS, rows)


def count_table(scores: Scores) -> TextTable:
    """How the attempts at each task's questions ended; failures are counted, never scored."""
    rows = {
        str(task): (
            score.asked,
            score.answered,
            score.unparsed,
            score.truncated,
            score.clip_failed,
            score.request_failed,
            score.unanswered,
        )
        for task, score in scores.tasks.items()
    }
    rows["all"] = tuple(sum(column) for column in zip(*rows.values(), strict=True))
    return TextTable(
        COUNT_COLUMNS,
        {name: tuple(f"{count:,}" for count in counts) for name, counts in rows.items()},
    )


def span(interval: Interval | None) -> str:
    """ "44.9–49.0", or "–" where there is no interval."""
    return f"{interval.low:.1f}–{interval.high:.1f}" if interval else NOT_AVAILABLE


def _task_row(score: TaskScore) -> tuple[str, ...]:
    majority = score.majority
    return (
        *(_accuracy_cells(score.accuracy) if score.accuracy else (NOT_AVAILABLE,) * 5),
        two_decimals(score.answered_percent),
        two_decimals(score.chance),
        f"{two_decimals(majority.percent)} ({majority.answer})" if majority else NOT_AVAILABLE,
    )


def _accuracy_cells(accuracy: Accuracy) -> tuple[str, ...]:
    return (
        f"{accuracy.correct:,}",
        f"{accuracy.total:,}",
        two_decimals(accuracy.percent),
        span(accuracy.clustered),
        span(accuracy.wilson),
    )
