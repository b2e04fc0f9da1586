"""What a command prints: its errors, and output that the terminal, pipe or file cannot take.

Names of clips, questions and runs come from files of others. A control character in one of them
could move the cursor, change earlier lines, or send what the terminal is asked for. So control
characters are shown, never sent (`SafeConsole`, `printable`).
"""

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from pydantic import BaseModel
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from fmau.core.errors import FmauError

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


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
    console = SafeConsole(stderr=True)
    console.print(f"[bold red]error:[/] {escape(text)}", highlight=False, soft_wrap=True)
    sys.exit(1)


def printable(text: str) -> str:
    """The text with its control characters as escapes; line ends and tabs stay.

    These are C0, DEL and C1, and marks that turn the direction of writing.
    """
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


class SafeConsole(Console):
    """A console that shows control characters, and sends only those of its own styles."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render, with the control characters of all texts as escapes."""
        for segment in super().render(renderable, options):
            if segment.control is None and _CONTROL.search(segment.text):
                yield Segment(printable(segment.text), segment.style)
            else:
                yield segment


def _spell_out_unknown_characters() -> None:
    """Write a character that the output's encoding does not have as an escape (\\u2013).

    Without this, one such letter in a path or label ends a command on an ASCII or Latin-1 terminal.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(record: BaseModel | Sequence[BaseModel]) -> None:
    """Print a record, or several, as JSON in ASCII, which is right in every encoding."""
    if isinstance(record, BaseModel):
        tree: Any = record.model_dump(mode="json")
    else:
        tree = [one.model_dump(mode="json") for one in record]
    print(json.dumps(tree, indent=2))


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
