"""The command line: each command calls a stage and prints its result; the logic is in the stages.

Slow imports are inside the commands, so that `fmau --help` or a wrong path is answered at once.
"""

import sys

from rich.markup import escape

# Importing these modules adds their commands to `app`.
from fmau.cli import data, judging, models, recipes, results  # noqa: F401
from fmau.cli.app import app, err
from fmau.core.errors import FmauError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; errors that a user can cause are printed without a traceback."""
    try:
        app()
    except FmauError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
