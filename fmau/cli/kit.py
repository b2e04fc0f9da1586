"""The command `fmau import-kit`: go on with fmau where someone began with the starter kit."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from fmau.cli.app import app, err, out


@app.command("import-kit")
def import_kit(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of the starter kit, with prompts.py.")
    ],
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")] = Path(
        "from_kit"
    ),
    questions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Question file that was asked; default: of datasets/."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take this output alone; default: all of outputs/."),
    ] = None,
    clips: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the clips; default: datasets/videos/."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model that answered, if the output's name does not say.")
    ] = None,
) -> None:
    """Take over prompts and answers of the challenge's starter kit; nothing of it is executed."""
    from fmau.score.kit import import_kit as take_over

    with err.status("reading the kit"):
        found = take_over(
            folder, to, questions=questions, predictions=predictions, clips=clips, model=model
        )
    for line in found.taken:
        out.print(f"[green]taken:[/] {escape(line)}", highlight=False, soft_wrap=True)
    for line in found.left_out:
        err.print(f"[yellow]left out:[/] {escape(line)}", highlight=False, soft_wrap=True)
    for run in found.runs:
        out.print(escape(f"next: fmau score {run}"), highlight=False, soft_wrap=True)
    for path in found.files[-1:]:
        ask = f"fmau answer kit_qwen3_5_9b --set prompt.set={path} --set name=NAME"
        out.print(escape(f"to ask as the kit asks: {ask}"), highlight=False, soft_wrap=True)
