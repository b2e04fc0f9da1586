"""What a command prints: its errors, and output that the terminal, pipe or file cannot take."""

import io
import json
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape

from fmau.core.errors import FmauError


def run_command(command: Callable[[], object]) -> None:
    """Run a whole command; errors that a user can cause are printed without a traceback."""
    _spell_out_unknown_characters()
    try:
        command()
    except FmauError as error:
        _fail(str(error))
    except OSError:
        if reason := _stdout_fails("\n"):
            _fail(f"stdout: cannot be written: {reason}")
        raise  # of another file: a bug in fmau, show the traceback
    except SystemExit:
        if reason := _stdout_fails():
            _fail(f"stdout: cannot be written: {reason}")
        raise


def _fail(text: str) -> NoReturn:
    console = Console(stderr=True)
    console.print(f"[bold red]error:[/] {escape(text)}", highlight=False, soft_wrap=True)
    sys.exit(1)


def _spell_out_unknown_characters() -> None:
    """Write a character that the output's encoding does not have as an escape (\\u2013).

    Without this, one such letter in a path or label ends a command on an ASCII or Latin-1 terminal.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(record: BaseModel) -> None:
    """Print a record as JSON in ASCII, which is right in every encoding."""
    print(json.dumps(record.model_dump(mode="json"), indent=2))


def _stdout_fails(last: str = "") -> str | None:
    """Write `last` and all that waits to be written to stdout; None, or why it cannot be written.

    If it cannot, the rest goes nowhere, so that the interpreter does not try again as it ends.
    """
    try:
        print(last, end="", flush=True)
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return error.strerror or str(error)
    return None
