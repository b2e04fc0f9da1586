"""The command line: composes the stages and prints; every decision lies in the stages.

Heavy imports stand inside the commands, so that `fmau --help` and a mistyped path answer at once.
"""

import sys

from rich.markup import escape

# Each adds its commands to `app`.
from fmau.cli import data, judging, models, recipes, results  # noqa: F401
from fmau.cli.app import app, err
from fmau.core.errors import FmauError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; mistakes that people make are printed without a traceback."""
    try:
        app()
    except FmauError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
