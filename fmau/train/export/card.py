"""Writes the model card of an adapter or a merged model, for `fmau export`.

The card says what the model is, how it scores and how to use it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fmau.core.files import write_whole
from fmau.core.taxonomy import CLOSED_TASKS
from fmau.report.tables import span
from fmau.score import Scores
from fmau.score.table4 import NOT_AVAILABLE, two_decimals
from fmau.serve.updates import Updates
from fmau.train.record import TrainingRecord


def write_card(
    folder: Path,
    *,
    base: str,
    revision: str | None,
    merged: bool,
    updates: Updates,
    record: TrainingRecord | None,
    runs: Mapping[str, Scores],
) -> Path:
    """Write the model card as README.md; it replaces the empty one that PEFT writes.

    Args:
        folder: folder of the adapter, or of the merged model.
        base: folder or hub name of the base model.
        revision: revision of a hub model.
        merged: True if the folder holds the merged model, False if it holds the adapter.
        updates: which layers the adapter changes.
        record: record of the training; None if there is none.
        runs: run name -> scores of runs that answered with this adapter.

    Returns:
        The card's path.
    """
    environment = Environment(
        loader=PackageLoader("fmau.train.export", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the card is Markdown; HTML escapes would show in it
        finalize=_harmless,
    )
    recipe = yaml.safe_dump(record.recipe, sort_keys=False) if record else ""
    text = environment.get_template("card.md.jinja").render(
        base=base,
        revision=revision,
        merged=merged,
        updates=updates,
        record=record,
        recipe=Markup(recipe),
        fence="`" * max(3, 1 + max(map(len, re.findall("`+", recipe)), default=0)),
        tasks=[str(task) for task in CLOSED_TASKS],
        runs={name: _row(scores) for name, scores in runs.items()},
    )
    path = folder / "README.md"
    write_whole(path, text)
    return path


def _harmless(value: Any) -> Any:
    """A value as the card shows it. Names come from files of others: in them, "<" could begin HTML,
    and a line end or "|" another part of the card."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return " ".join(value.split("\n")).replace("<", "&lt;").replace("|", "\\|")
    return value


def _row(scores: Scores) -> list[str]:
    """The six closed accuracies and their mean as text, each with its 95 % interval over clips."""
    found = [*(scores.tasks[task].accuracy for task in CLOSED_TASKS), scores.closed_avg]
    return [
        f"{two_decimals(one.percent)} ({span(one.clustered)})" if one else NOT_AVAILABLE
        for one in found
    ]
