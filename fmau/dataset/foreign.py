"""Says what a file is that should be JSON and is not, and how to convert it."""

from pathlib import Path

from fmau.core.errors import Problem
from fmau.core.parsing import parse_stream

_FROM_TABLE = (
    'convert it: python -c "import csv, json; '
    "json.dump(list(csv.DictReader(open('FILE'{}), open('NEW.json', 'w'))\""
)
_SEPARATORS = {
    "\t": ("tabs", "), delimiter='\\t')"),
    ";": ("semicolons", "), delimiter=';')"),
    ",": ("commas", "))"),
}
"""Separator of a table -> its name, and how the command above goes on."""

_SHOWN_CHARS = 60


def not_json(path: Path, text: str, error: ValueError, remedy: str) -> Problem:
    """The one problem of a whole file that cannot be parsed.

    Args:
        error: of the parser, for a file that is JSON but for a slip.
        remedy: what the reader wants, for such a file.
    """
    first = text.strip().partition("\n")[0].strip()
    if not first:
        return Problem(str(path), "is empty", remedy)
    if first[0] in "[{":
        if first[0] == "{" and _is_stream(text):
            what = "is JSON objects one after another, not a list"
            return Problem(str(path), what, "write [ before, ] after and a comma between them")
        return Problem(str(path), f"not JSON ({error})", remedy)
    shown = repr(first if len(first) <= _SHOWN_CHARS else f"{first[:_SHOWN_CHARS]}...")
    for separator, (name, rest) in _SEPARATORS.items():
        if separator in first:
            what = f"looks like a table with {name} (CSV), it begins {shown}"
            return Problem(str(path), what, _FROM_TABLE.format(rest))
    return Problem(str(path), f"is not JSON, it begins {shown}", remedy)


def _is_stream(text: str) -> bool:
    try:
        return len(parse_stream(text)) > 1
    except ValueError:
        return False
