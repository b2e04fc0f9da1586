"""All checks of a question file, as a record and as a table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fmau.core.errors import InputError, Problem
from fmau.core.records import QuestionFile, Record
from fmau.core.taxonomy import Task
from fmau.dataset.questions import survey_questions
from fmau.score.audit.check import Check
from fmau.score.audit.fields import schema
from fmau.score.audit.pairs import duplicate_question, label_named, opposite_pair
from fmau.score.audit.shortcuts import (
    blind_classifier,
    class_prior,
    duplicate_option,
    label_code_suffix,
)


class Audit(Record):
    """What was found in a question file.

    Attributes:
        file: its path.
        rows: number of rows in the file.
        own: how many of them are about tasks that MA-Bench does not have; no check is about them.
        with_gold: number of readable questions that have an answer.
        checks: one for each kind of defect or shortcut, also where nothing was found.
    """

    file: str
    rows: int
    own: int
    with_gold: int
    checks: tuple[Check, ...]


def audit_questions(path: Path) -> Audit:
    """Run all checks on a question file.

    Rows that cannot be read are reported under "schema"; the other checks leave them out.

    Raises:
        InputError: the file is missing or is not a JSON list, or has only tasks of one's own.
    """
    survey = survey_questions(path)
    questions = _official(survey.sound)
    own = len(survey.sound.questions) - len(questions.questions)
    if own == len(survey.rows):
        what = "has no question of a task of MA-Bench, and the checks are about those"
        raise InputError([Problem(str(path), what, "audit a file that has them")])
    survey = replace(survey, sound=questions)
    return Audit(
        file=str(path),
        rows=len(survey.rows),
        own=own,
        with_gold=len(questions.gold),
        checks=(
            label_code_suffix(questions),
            duplicate_option(questions),
            duplicate_question(questions),
            class_prior(questions),
            opposite_pair(questions),
            label_named(questions),
            blind_classifier(questions),
            schema(survey),
        ),
    )


def _official(file: QuestionFile) -> QuestionFile:
    """The questions of MA-Bench's tasks."""
    asked = tuple(question for question in file.questions if isinstance(question.task, Task))
    qids = {question.qid for question in asked}
    return QuestionFile(asked, {qid: gold for qid, gold in file.gold.items() if qid in qids})


def print_audit(audit: Audit, console: Console) -> None:
    """Print a table of the checks, then the figures of each check. It fits into 80 columns."""
    title = f"{audit.file}: {audit.rows:,} rows, {audit.with_gold:,} with gold"
    if audit.own:
        title += f"; {audit.own:,} about tasks of the file's own left out"
    table = Table(box=SIMPLE_HEAD, title=Text(title))
    table.add_column("check", no_wrap=True)
    table.add_column("rows", justify="right")
    table.add_column("what a row found here is", overflow="fold")
    for found in audit.checks:
        style = "bold" if found.rows else "dim"
        table.add_row(found.id, f"{found.rows:,}", found.meaning, style=style)
    console.print(table)
    for found in audit.checks:
        console.print(Text(found.id, style="bold"))
        for name, value in found.facts.items():
            if value != {}:
                _print_fact(name, value, console)


def _print_fact(name: str, value: Any, console: Console) -> None:
    words = name.replace("_", " ").removesuffix(" percent")
    unit = " %" if name.endswith("_percent") and value is not None else ""
    if isinstance(value, dict):
        console.print(Text(f"  {words}:"))
        for key, inner in value.items():
            console.print(Text(f"    {key}: {_shown(inner)}"), soft_wrap=True)
    else:
        console.print(Text(f"  {words}: {_number(value)}{unit}"), soft_wrap=True)


def _shown(value: Any) -> str:
    if not isinstance(value, dict):
        return _number(value)
    named = ((key.removesuffix("_percent").replace("_", " "), item) for key, item in value.items())
    return ", ".join(f"{key} {_number(item)}" for key, item in named)


def _number(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}"
    if isinstance(value, list):
        between = ", " if any(isinstance(item, str) for item in value) else "–"
        return between.join(map(_number, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
