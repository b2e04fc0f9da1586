"""Reads training files row by row: a JSON list, JSON objects one after another, or a table (CSV).

The readers of captions and dialogues use it. `read_records` passes every row to a function that
makes a record of it. Problems are collected on the row and raised after the last row, so that all
problems of a file are listed at once.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fmau.core.errors import InputError, Problem
from fmau.core.files import read_text
from fmau.core.parsing import keys_twice, parse_rows, parse_stream
from fmau.core.texts import text_fault, texts_in, whole
from fmau.dataset.clips import clip_name, name_fault
from fmau.dataset.foreign import not_json

Record = TypeVar("Record")


@dataclass(slots=True)
class Row:
    """One object of a training file, with the problems found in it.

    Attributes:
        path: path of the file.
        number: number of the row, counted from 1; in JSON Lines the line number, or where objects
            have several lines, the number of the object.
        values: the object; empty if the row is not an object.
        clip: name of the row's clip, once it is read; problems then name the clip.
        problems: the problems found so far.
    """

    path: Path
    number: int
    values: dict[str, Any] = field(default_factory=dict)
    clip: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, what: str, remedy: str) -> None:
        """Add a problem, with its remedy."""
        where = f"{self.path} row {self.number}" + (f" ({self.clip})" if self.clip else "")
        self.problems.append(Problem(where, what, remedy))

    def one_of(self, *keys: str) -> Any:
        """The value under the one of these alternative keys that the row has; None if it has none.

        If the row has more than one of them, that is noted as a problem.
        """
        given = [key for key in keys if self.values.get(key) is not None]
        if len(given) > 1:
            self.refuse(f"{' and '.join(map(repr, given))} are given", "keep one of them")
        return self.values[given[0]] if given else None


def read_records(path: Path, record: Callable[[Row], Record | None]) -> tuple[Record, ...]:
    """The records of all rows, in file order.

    Args:
        path: UTF-8 file.
        record: makes the record of a row. It returns None only if it added a problem to the row.

    Raises:
        InputError: the file is missing, is neither JSON nor JSON Lines, has no rows, or has rows
            with problems; all problems are listed.
    """
    problems: list[Problem] = []
    records: list[Record] = []
    for row in _rows(path):
        made = None if row.problems else record(row)
        _check_whole(row)
        problems += row.problems
        if not row.problems:
            assert made is not None, "a row without problems has a record"
            records.append(made)
    if problems:
        raise InputError(problems)
    if not records:
        remedy = "write a JSON list of objects, or one JSON object per line"
        raise InputError([Problem(str(path), "has no rows", remedy)])
    return tuple(records)


def named_clip(row: Row, name: Any) -> str | None:
    """The row's clip name, without extension; None, and a problem on the row, if it is bad."""
    if name is None:
        row.refuse("no clip is named", "write the clip's file name under 'video'")
        return None
    fault = name_fault(name)
    if isinstance(name, str) and name.strip():
        row.clip = whole(name)
    if fault is not None:
        row.refuse(*fault)
        return None
    row.clip = clip_name(name)
    return row.clip


def _check_whole(row: Row) -> None:
    """Check what no reader looks at by key, and note it as problems of the row: keys that are given
    twice, and the first text with a control token or half a character."""
    for key in keys_twice(row.values):
        row.refuse(f"the key {key!r} is given twice", "keep one of them")
    for text in texts_in(row.values):
        if fault := text_fault(text):
            row.refuse(*fault)
            return


def _rows(path: Path) -> Iterator[Row]:
    """Yield all rows; a row that is not an object has that as its problem."""
    text = read_text(path)
    table = path.suffix.lower() in _DELIMITERS
    for number, value in _cells(path, text) if table else _values(path, text):
        row = Row(path, number)
        if isinstance(value, dict):
            row.values = value
        elif isinstance(value, Exception):
            row.refuse(f"not JSON ({value})", "write one JSON object per line")
        else:
            row.refuse(f"is a {type(value).__name__}", "write a JSON object, {...}")
        yield row


_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def _cells(path: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (number of its last line, column -> text) of every row of a table; empty cells are left
    out."""
    delimiter = _DELIMITERS[path.suffix.lower()]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if None in cells or None in cells.values():
                remedy = "write as many cells as the first row, and quotes around texts with commas"
                where = f"{path} row {reader.line_num}"
                raise InputError([Problem(where, "has another number of cells", remedy)])
            yield reader.line_num, {name: cell for name, cell in cells.items() if cell.strip()}
    except csv.Error as error:
        where = f"{path} row {reader.line_num}"
        raise InputError(
            [Problem(where, f"is no row of a table ({error})", "correct it")]
        ) from None


def _values(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Yield (number, value) of every row; the value of a line that is not JSON is the error."""
    if text.lstrip().startswith("["):
        yield from enumerate(_listed(path, text), start=1)
        return
    # Not str.splitlines: it also breaks lines at characters that JSON allows inside strings.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    values = [(number, _parsed(line)) for number, line in lines]
    if values and isinstance(values[0][1], ValueError):
        try:
            values = list(enumerate(parse_stream(text), start=1))  # objects of several lines
        except ValueError as error:
            if not any(isinstance(value, dict) for _, value in values):
                remedy = "write a JSON list of objects, or one JSON object per line"
                raise InputError([not_json(path, text, error, remedy)]) from None
    yield from values


def _listed(path: Path, text: str) -> list[Any]:
    rows = _parsed(text)
    if isinstance(rows, ValueError):
        remedy = "a file that starts with [ must be one JSON list of objects"
        raise InputError([not_json(path, text, rows, remedy)])
    assert isinstance(rows, list), "JSON that starts with [ is a list"
    return rows


def _parsed(text: str) -> Any | ValueError:
    """The value that the text encodes; the error if it is not JSON."""
    try:
        return parse_rows(text)
    except ValueError as error:
        return error
