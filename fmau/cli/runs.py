"""The command `fmau runs`: list the runs of a folder, or delete one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from fmau.cli.app import app, out
from fmau.core.errors import RunError
from fmau.core.output import print_json

if TYPE_CHECKING:
    from fmau.score.overview import RunOverview


@app.command()
def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder that holds the runs.")
    ] = Path("runs"),
    delete: Annotated[
        str | None, typer.Option("--delete", metavar="NAME", help="Delete this run; asks first.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the runs of a folder: model, state, scores, size. With --delete, delete one."""
    from fmau.score.overview import overview

    found = overview(folder)
    if delete is not None:
        _delete(folder, found, delete, yes=yes)
    elif as_json:
        print_json(found)
    elif found:
        out.print(_table(found))
    else:
        out.print(escape(f"{folder}: no runs"))


def _delete(folder: Path, found: list["RunOverview"], name: str, *, yes: bool) -> None:
    from fmau.score.overview import delete_run

    run = next((one for one in found if one.name == name), None)
    if run is None:
        names = ", ".join(one.name for one in found) or "none"
        raise RunError(f"{folder}: no run is named {name!r}; there are: {names}")
    if not yes:
        typer.confirm(f"delete {run.folder} ({run.status}, {_size(run.size)})?", abort=True)
    delete_run(run.folder)
    out.print(escape(f"deleted {run.folder}"))


def _table(found: list["RunOverview"]) -> Table:
    from fmau.score.table4 import two_decimals

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("name", "model", "questions", "state"):
        table.add_column(column, overflow="fold")
    for column in ("Closed-AVG", "Final", "size"):
        table.add_column(column, justify="right", no_wrap=True)
    for run in found:
        model = (run.model or "") + (f" + {run.adapter}" if run.adapter else "")
        state = run.status + (f"; judged by {', '.join(run.judges)}" if run.judges else "")
        state += "".join(f"; {task} {value:.2f} %" for task, value in run.own_tasks.items())
        cells = (run.name, model, run.questions or "", state)
        numbers = (two_decimals(run.closed_avg), two_decimals(run.final), _size(run.size))
        table.add_row(*map(escape, cells), *numbers)
    return table


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
