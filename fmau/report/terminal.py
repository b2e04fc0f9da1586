"""Prints scores as tables on the terminal; every table fits 120 columns."""

from collections.abc import Collection, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fmau.core.taxonomy import CLOSED_TASKS
from fmau.report.tables import (
    TextTable,
    accuracy_table,
    agreement_table,
    calibration_table,
    comparison_table,
    comparison_title,
    count_table,
    final_remark,
    further_table,
    judge_title,
    level_table,
)
from fmau.score.comparison import OVERALL as MEANS
from fmau.score.comparison import Comparison
from fmau.score.levels import JudgeAgreement
from fmau.score.scores import Scores
from fmau.score.table4 import COLUMNS, Row, caveat, table4, two_decimals

CLOSED_COLUMNS = len(CLOSED_TASKS) + 1
"""Number of columns of Table 4 about closed tasks: one per task, and their mean."""

STYLES = {"paper": "dim", "run": "bold", "baseline": "italic", "blind": "italic"}


WIDE = 118
"""Terminal width, in characters, that the whole of Table 4 needs; below it, it is split in two."""


def print_scores(runs: Mapping[str, Scores], console: Console, blind: Collection[str] = ()) -> None:
    """Print Table 4 with a row per run, then each run's accuracies, levels and counts.

    There is no Table 4 if all questions are of one's own tasks.

    Args:
        blind: names of the runs that were asked without the clips.
        runs: name -> scores, all of one question file.
        console: where to print; best with 120 columns, at least 80.
    """
    if rows := table4(runs, blind):
        _print_table4(rows, console)
    if note := caveat(runs):
        console.print(Text(note, style="yellow"))
    for name, scores in runs.items():
        console.print(_text_table(f"{name}: accuracy", accuracy_table(scores)))
        if (further := further_table(scores)).rows:
            console.print(_text_table(f"{name}: tiers and labels", further))
        if (sure := calibration_table(scores)).rows:
            console.print(_text_table(f"{name}: confidence", sure))
        for found in scores.judgements:
            title = f"{name}: open answers, {judge_title(found)}"
            console.print(_text_table(title, level_table(found)))
        if scores.agreements:
            print_agreements(f"{name}: how its judges agree", scores.agreements, console)
        console.print(_text_table(f"{name}: how the questions ended", count_table(scores)))
        if scores.has_official:
            console.print(_summary(scores))


def _print_table4(rows: list[Row], console: Console) -> None:
    if console.width >= WIDE:
        console.print(_table4("Table 4", rows, slice(None)))
    else:
        console.print(_table4("Table 4: closed tasks, accuracy %", rows, slice(0, CLOSED_COLUMNS)))
        console.print(_table4("Table 4: open tasks, 0-5", rows, slice(CLOSED_COLUMNS, None)))


def print_agreements(title: str, found: Sequence[JudgeAgreement], console: Console) -> None:
    """Print the agreement of pairs of judges, one row per pair; needs up to 100 columns."""
    console.print(_text_table(title, agreement_table(found)))


def print_comparison(found: Comparison, console: Console) -> None:
    """Print how two runs differ: the verdict, what is left out, and a row per measure.

    The table needs up to 120 columns.
    """
    console.print(Text(found.verdict, style="bold"), soft_wrap=True)
    for note in found.notes:
        console.print(Text(f"note: {note}", style="yellow"), soft_wrap=True)
    content = comparison_table(found)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.title = Text(comparison_title(found))
    table.add_column("", no_wrap=True)
    for place, column in enumerate(content.columns):
        table.add_column(
            Text(column), justify="right", max_width=18 if place < 2 else None, overflow="fold"
        )
    for name, cells in content.rows.items():
        table.add_row(name, *cells, style="bold" if name in MEANS else "")
    console.print(table)
    console.print(
        "p: McNemar's exact test for one question a clip, else a sign-flip test over clips; p Holm "
        "is adjusted for the number of tasks and levels.\nsmallest: the smallest difference that "
        "this sample detects in 80 % of cases at the 5 % level.",
        highlight=False,
    )


def _table4(title: str, rows: list[Row], columns: slice) -> Table:
    """Some or all columns of Table 4."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False, title=title)
    table.add_column("", min_width=16, max_width=22, overflow="fold")
    for column in COLUMNS[columns]:
        # "MADU L1" on two lines makes the column no wider than its numbers.
        table.add_column(column.replace(" ", "\n"), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(Text(row.name), *row.cells()[columns], style=STYLES[row.kind])
    return table


def _text_table(title: str, content: TextTable) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title=Text(title))
    table.add_column("", no_wrap=True)
    for column in content.columns:
        table.add_column(column, justify="right", overflow="fold")
    for name, cells in content.rows.items():
        table.add_row(
            name, *cells, style="bold" if name in ("Closed-AVG", "Open-AVG", "all") else ""
        )
    return table


def _summary(scores: Scores) -> Text:
    told = final_remark(scores)
    remark = f" ({told})" if told else ""
    closed = scores.closed_avg.percent if scores.closed_avg else None
    return Text(
        f"Closed-AVG {two_decimals(closed)}   Open-AVG {two_decimals(scores.open_avg)}   "
        f"Final {two_decimals(scores.final)}{remark}\n"
    )
