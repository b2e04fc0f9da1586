"""What becomes of output that the terminal, pipe or file behind it cannot take."""

import io
import json
import os
import sys

from pydantic import BaseModel


def spell_out_unknown_characters() -> None:
    """Write a character that the output's encoding does not have as an escape (\\u2013).

    Without this, one such letter in a path or label ends a command on an ASCII or Latin-1 terminal.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(record: BaseModel) -> None:
    """Print a record as JSON in ASCII, which is right in every encoding."""
    print(json.dumps(record.model_dump(mode="json"), indent=2))


def stdout_fails(last: str = "") -> str | None:
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
