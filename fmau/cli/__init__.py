"""The command line: each command calls a stage and prints its result; the logic is in the stages.

Slow imports are inside the commands, so that `fmau --help` or a wrong path is answered at once.
"""

import sys
from typing import NoReturn

from rich.markup import escape

# Importing these modules adds their commands to `app`.
from fmau.cli import data, judging, models, recipes, results  # noqa: F401
from fmau.cli.app import app, err
from fmau.cli.output import spell_out_unknown_characters, stdout_fails
from fmau.core.errors import FmauError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; errors that a user can cause are printed without a traceback."""
    spell_out_unknown_characters()
    try:
        app()
    except FmauError as error:
        _fail(str(error))
    except OSError:
        if reason := stdout_fails("\n"):
            _fail(f"stdout: cannot be written: {reason}")
        raise  # of another file: a bug in fmau, show the traceback
    except SystemExit:
        if reason := stdout_fails():
            _fail(f"stdout: cannot be written: {reason}")
        raise


def _fail(text: str) -> NoReturn:
    err.print(f"[bold red]error:[/] {escape(text)}", highlight=False, soft_wrap=True)
    sys.exit(1)
