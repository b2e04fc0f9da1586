"""Shared by all commands: the Typer application, the consoles, the common arguments."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fmau.core.errors import FmauError, RecipeError
from fmau.core.output import SafeConsole

EXTRAS = {
    "mini": "mini",
    "check": "frames",
    "frames": "frames",
    "answer": "answer",
    "ask": "answer",
    "judge": "judge",
    "export": "train",
}
"""Command -> the extra with its optional packages; commands that are not listed need none."""


class Commands(TyperGroup):
    """The group of all commands. If a command's packages are missing, it names the extra."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name.

        Raises:
            FmauError: a package that the command needs is not installed.
        """
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            package = str(error.name).partition(".")[0]
            if package == "fmau":
                raise  # a bug in fmau: show the traceback
            extra = EXTRAS.get(str(ctx.invoked_subcommand))
            what = f"fmau[{extra}]" if extra else "fmau"
            raise FmauError(
                f"fmau {ctx.invoked_subcommand} needs the package {package}, which is not "
                f"installed; pip install '{what}'"
            ) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fine-grained micro-action understanding with multimodal LLMs.",
)
# A pipe or a log file has no width, so tables get a fixed one there.
out = SafeConsole(width=None if sys.stdout.isatty() else 120)
err = SafeConsole(stderr=True)

RecipeFile = Annotated[
    Path, typer.Argument(metavar="RECIPE", help="Recipe: a name from fmau recipes, or a YAML file.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, e.g. runs/NAME.")]
QuestionsFile = Annotated[
    Path | None,
    typer.Option("--questions", metavar="FILE", help="Question file, if not the recipe's."),
]


def _settings(given: list[str] | None) -> list[str] | None:
    """Check the form here: in `--set KEY VALUE` the command line would complain of VALUE alone."""
    for one in given or ():
        if "=" not in one:
            raise RecipeError(f"--set {one}: write KEY=VALUE, e.g. answer.clips_in_flight=4")
    return given


Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        callback=_settings,
        help="Change a value, e.g. serve.port=9000.",
    ),
]


def _urls(given: list[str] | None) -> list[str] | None:
    for one in given or ():
        if not one.startswith(("http://", "https://")):
            raise typer.BadParameter(f"{one}: write http://HOST:PORT")
    return given


ServerUrls = Annotated[
    list[str] | None,
    typer.Option(
        "--server",
        metavar="URL",
        callback=_urls,
        help="Ask this server instead of starting one; can be repeated.",
    ),
]
AdapterFolder = Annotated[
    Path | None,
    typer.Option("--adapter", metavar="DIR", help="LoRA adapter of the recipe's model."),
]


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; gives a function of (done, total) that updates it."""
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
