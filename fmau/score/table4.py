"""Table 4 of the MA-Bench paper: its two Qwen3-VL-8B rows, and rows of runs in the same columns.

Terminal, HTML report and exports print it. The paper's numbers have two decimals, as printed there:
accuracies in percent, judge levels 0 to 5. Each AVG column is the plain mean of the six columns
before it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from fmau.core.taxonomy import CLOSED_TASKS, OPEN_TASKS, Task
from fmau.score.intervals import Interval
from fmau.score.levels import Judgement, Levels
from fmau.score.scores import Scores

RowKind = Literal["paper", "run", "baseline", "blind"]

NOT_AVAILABLE = "–"

COLUMNS = (
    *(str(task) for task in CLOSED_TASKS),
    "AVG",
    *(f"{task} L{level}" for task in OPEN_TASKS for level in (1, 2, 3)),
    "AVG",
)
"""Column headings: six accuracies and their mean, six levels and their mean."""

NOT_COMPARABLE = (
    "The paper's rows are scores on MA-Bench (12,000 questions about 1,000 clips). The questions "
    "scored here are not those: do not compare the rows of this table with the paper's."
)

PARTIAL_GOLD = (
    "Only a part of MA-Bench's closed questions has gold answers here: the run's row is about that "
    "part, the paper's rows are about all."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        name: model or run.
        kind: from the paper, a run, a baseline, or a blind run (asked without the clips).
        accuracies: closed task -> percent; a task that is not known is left out.
        levels: open task -> mean judge levels, 0 to 5; a task that is not known is left out.
        intervals: intervals over clips, one per column of `numbers` (None where there is none);
            empty if no interval is known.
    """

    name: str
    kind: RowKind
    accuracies: Mapping[Task, float]
    levels: Mapping[Task, Levels] = field(default_factory=dict)
    intervals: Sequence[Interval | None] = ()

    @property
    def closed_avg(self) -> float | None:
        """Plain mean of the six accuracies; None if one is missing."""
        return _mean([self.accuracies.get(task) for task in CLOSED_TASKS])

    @property
    def open_avg(self) -> float | None:
        """Plain mean of the six levels; None if one is missing."""
        return _mean(self._levels())

    def numbers(self) -> list[float | None]:
        """The row's values in the order of `COLUMNS`."""
        closed = [self.accuracies.get(task) for task in CLOSED_TASKS]
        return [*closed, self.closed_avg, *self._levels(), self.open_avg]

    def cells(self) -> list[str]:
        """`numbers` as printed: two decimals, "–" for what is not available."""
        return [two_decimals(number) for number in self.numbers()]

    def _levels(self) -> list[float | None]:
        nothing = (None, None, None)
        return [level for task in OPEN_TASKS for level in self.levels.get(task, nothing)]


PAPER_ROWS = (
    Row(
        "Qwen3-VL-8B, zero-shot (paper)",
        "paper",
        dict(zip(CLOSED_TASKS, (32.23, 37.11, 56.10, 53.69, 47.94, 54.74), strict=True)),
        {Task.MADU: (0.50, 0.51, 0.47), Task.MARE: (1.18, 1.00, 0.84)},
    ),
    Row(
        "+ MA-Bench-Train (paper)",
        "paper",
        dict(zip(CLOSED_TASKS, (47.90, 32.60, 60.30, 59.65, 50.00, 53.60), strict=True)),
        {Task.MADU: (1.50, 1.67, 1.54), Task.MARE: (1.98, 1.78, 1.67)},
    ),
)


def run_rows(name: str, scores: Scores, *, blind: bool = False) -> list[Row]:
    """The rows of one run: one per LLM judge, or one without levels. Proxy judges get no row.

    Args:
        blind: the run was asked without the clips, in text only.
    """
    tasks = scores.tasks
    accuracies = {task: score.accuracy.percent for task, score in tasks.items() if score.accuracy}
    kind: RowKind = "blind" if blind else "run"
    name = f"{name} (blind: no video)" if blind else name
    judges = [found for found in scores.judgements if found.means and not found.proxy]
    if not judges:
        return [Row(name, kind, accuracies, intervals=_intervals(scores, None))]
    return [
        Row(
            _judged_name(name, found, alone=len(judges) == 1),
            kind,
            accuracies,
            found.means,
            _intervals(scores, found),
        )
        for found in judges
    ]


def _judged_name(name: str, found: Judgement, *, alone: bool) -> str:
    named = name if alone else f"{name}, judged by {found.judge}"
    return f"{named} ({found.coverage})" if found.coverage else named


def baseline_rows(scores: Scores) -> list[Row]:
    """The chance row, and the majority-class row if there are gold answers."""
    tasks = scores.tasks
    chances = {task: s.chance for task, s in tasks.items() if s.chance is not None}
    majorities = {task: s.majority.percent for task, s in tasks.items() if s.majority}
    rows = [Row("chance", "baseline", chances)]
    if majorities:
        rows.append(Row("majority class", "baseline", majorities))
    return rows


def table4(runs: Mapping[str, Scores], blind: Collection[str] = ()) -> list[Row]:
    """All rows: the paper's, the baselines, the blind runs, then the other runs.

    Args:
        runs: name -> scores; the baselines are computed from the first run.
        blind: names of the runs that were asked without the clips.

    Returns:
        No rows at all if no question is of a task of MA-Bench.
    """
    first = next(iter(runs.values()))
    if not first.has_official:
        return []
    return [
        *PAPER_ROWS,
        *baseline_rows(first),
        *(row for name in runs if name in blind for row in run_rows(name, runs[name], blind=True)),
        *(row for name in runs if name not in blind for row in run_rows(name, runs[name])),
    ]


def caveat(runs: Mapping[str, Scores]) -> str | None:
    """A warning to print beside the table; None if none is needed.

    It says that the runs' questions are not the paper's, or that missing answers, or replies that
    cannot be read, lower a row.

    Args:
        runs: name -> scores; of several runs, the text names those that it is about.
    """
    notes: list[str] = []
    for name, one in runs.items():
        closed = one.closed_tasks
        of = f"{name}: " if len(runs) > 1 else ""
        if one.has_official and one.benchmark != "MA-Bench":
            notes.append(NOT_COMPARABLE)
        elif any(0 < task.with_gold < task.asked for task in closed):
            notes.append(PARTIAL_GOLD)
        missing = sum(task.failed + task.unanswered for task in closed)
        if missing:
            notes.append(
                f"{of}{missing:,} of {sum(task.asked for task in closed):,} closed questions have "
                "no answer (unreadable clip, no reply, or not asked yet) and count as not right."
            )
        unread = sum(task.unparsed + task.truncated for task in closed)
        if unread:
            replies = unread + sum(task.answered for task in closed)
            notes.append(
                f"{of}{unread:,} of {replies:,} replies to closed questions hold no answer that "
                "can be read, or were cut off; they count as wrong."
            )
    return " ".join(dict.fromkeys(notes)) or None


def markdown(rows: Sequence[Row], note: str | None = None) -> str:
    """The table as GitHub Markdown, with `note` above it."""
    lines = [
        _markdown_line(["", *COLUMNS]),
        _markdown_line([":---", *["---:"] * len(COLUMNS)]),
        *(_markdown_line([row.name.replace("|", r"\|"), *row.cells()]) for row in rows),
    ]
    return "\n".join([*([f"> {note}", ""] if note else []), *lines, ""])


def two_decimals(number: float | None) -> str:
    """Format a number: "47.90" for 47.9, "–" for None; halves are rounded up, as in the paper.

    >>> two_decimals(50.675)
    '50.68'
    """
    if number is None:
        return NOT_AVAILABLE
    # Rounding to ten digits first removes binary noise such as 50.674999999999997.
    exact = Decimal(f"{number:.10f}")
    return str(exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))


def _intervals(scores: Scores, judgement: Judgement | None) -> list[Interval | None]:
    """Clustered intervals in the order of `COLUMNS`."""
    closed = [*(scores.tasks[task].accuracy for task in CLOSED_TASKS), scores.closed_avg]
    intervals = [value.clustered if value is not None else None for value in closed]
    if judgement is None:
        return [*intervals, *(None,) * (len(COLUMNS) - len(intervals))]
    levels = [level.clustered for task in OPEN_TASKS for level in judgement.tasks[task]]
    return [*intervals, *levels, judgement.open_avg_clustered]


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None
