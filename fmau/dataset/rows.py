"""Training files, row by row: a JSON list of objects, or JSON Lines with one object a line.

`read_records` hands every row to a function that makes a record of it. What is wrong with a row is
noted on the row; nothing is raised before the last row has been seen, so that a file's problems are
all listed at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fmau.core.errors import InputError, Problem
from fmau.core.files import read_text
from fmau.core.parsing import parse_json
from fmau.dataset.clips import clip_name, name_fault

Record = TypeVar("Record")


@dataclass(slots=True)
class Row:
    """One object of a training file, and what was found wrong with it.

    Attributes:
        path: of the file.
        number: of the row, counted from 1; in JSON Lines the number of its line.
        values: the object; empty if the row is none.
        clip: the clip it is about, once that was read; problems then name it.
        problems: found so far.
    """

    path: Path
    number: int
    values: dict[str, Any] = field(default_factory=dict)
    clip: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, what: str, remedy: str) -> None:
        """Note a problem."""
        where = f"{self.path} row {self.number}" + (f" ({self.clip})" if self.clip else "")
        self.problems.append(Problem(where, what, remedy))

    def one_of(self, *keys: str) -> Any:
        """The value under whichever of the alternative keys is there, None if none is.

        More than one of them is a problem: it would not be clear which one counts.
        """
        given = [key for key in keys if self.values.get(key) is not None]
        if len(given) > 1:
            self.refuse(f"{' and '.join(map(repr, given))} are given", "keep one of them")
        return self.values[given[0]] if given else None


def read_records(path: Path, record: Callable[[Row], Record | None]) -> tuple[Record, ...]:
    """The records of all rows, in file order.

    Args:
        path: UTF-8 file.
        record: makes the record of a row; it returns None only if it noted a problem on the row.

    Raises:
        InputError: the file is missing, is neither JSON nor JSON Lines, has no rows, or has rows
            with problems, which are all listed.
    """
    problems: list[Problem] = []
    records: list[Record] = []
    for row in _rows(path):
        made = None if row.problems else record(row)
        problems += row.problems
        if not row.problems:
            assert made is not None, "a row without problems has a record"
            records.append(made)
    if problems:
        raise InputError(problems)
    if not records:
        remedy = "a training file is a JSON list of objects, or has one object a line"
        raise InputError([Problem(str(path), "no rows", remedy)])
    return tuple(records)


def named_clip(row: Row, name: Any) -> str | None:
    """The clip that a row names, without extension; None, and a problem, if that is not a name."""
    if name is None:
        row.refuse("no clip is named", "write the clip's file name under 'video'")
        return None
    fault = name_fault(name)
    if isinstance(name, str) and name.strip():
        row.clip = name
    if fault is not None:
        row.refuse(*fault)
        return None
    row.clip = clip_name(name)
    return row.clip


def _rows(path: Path) -> Iterator[Row]:
    """Rows that are no object carry that as their problem."""
    for number, value in _values(path, read_text(path)):
        row = Row(path, number)
        if isinstance(value, dict):
            row.values = value
        elif isinstance(value, Exception):
            row.refuse(f"not JSON ({value})", "write one JSON object a line")
        else:
            row.refuse(f"is a {type(value).__name__}", "make it an object")
        yield row


def _values(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Number and value of every row; for a line that is no JSON, the error as its value."""
    if text.lstrip().startswith("["):
        yield from enumerate(_listed(path, text), start=1)
        return
    # Not str.splitlines: it also breaks lines at characters that JSON allows inside strings.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, _parsed(line)


def _listed(path: Path, text: str) -> list[Any]:
    rows = _parsed(text)
    if isinstance(rows, Exception):
        remedy = "a file that starts with [ is one JSON list of objects"
        raise InputError([Problem(str(path), f"not JSON ({rows})", remedy)])
    assert isinstance(rows, list), "JSON that starts with [ is a list"
    return rows


def _parsed(text: str) -> Any:
    """The value that the text encodes, or why it encodes none."""
    try:
        return parse_json(text)
    except ValueError as error:
        return error
