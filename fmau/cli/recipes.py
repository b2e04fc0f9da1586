"""The command `fmau recipes`: list the files that come with fmau, print or copy one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from fmau.cli.app import app, out
from fmau.core.errors import RecipeError
from fmau.core.files import make_folder, write_whole
from fmau.core.shipped import FOLDERS, Shipped, shipped


@app.command()
def recipes(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name in the list; prints this file.")
    ] = None,
    copy_to: Annotated[
        Path | None,
        typer.Option("--copy-to", metavar="FILE", help="Write the named file here instead."),
    ] = None,
) -> None:
    """List the recipes, judges, prompt sets and rubrics that come with fmau; print or copy one."""
    if name is None:
        if copy_to is not None:
            raise typer.BadParameter("--copy-to needs a NAME")
        out.print(_table())
        return
    found = _named(name)
    if copy_to is None:
        print(found.text, end="")
        return
    if copy_to.exists():
        raise RecipeError(f"{copy_to}: exists already; choose another name")
    make_folder(copy_to.parent)
    write_whole(copy_to, found.text)
    out.print(
        escape(f"{copy_to}: a copy of the {found.kind} {name}; change it, then use this path")
    )


def _table() -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("kind", no_wrap=True)
    table.add_column("name", no_wrap=True)
    table.add_column("what it is for", overflow="fold")
    for kind in FOLDERS:
        for one in shipped(kind):
            table.add_row(kind, one.name, escape(one.about))
        table.add_section()
    return table


def _named(name: str) -> Shipped:
    """Find the shipped file with this name among all kinds.

    Raises:
        RecipeError: there is no such file, or there are several.
    """
    found = [one for kind in FOLDERS for one in shipped(kind) if one.name == name]
    if len(found) == 1:
        return found[0]
    kinds = ", ".join(one.kind for one in found)
    raise RecipeError(
        f"{name}: several files have this name: {kinds}"
        if found
        else f"{name}: no such name; `fmau recipes` lists them"
    )
