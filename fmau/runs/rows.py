"""Append-only files of JSON rows, such as `answers.jsonl`; the writer may be killed at any moment.

A row is written by one `write` call of a whole line that ends with a newline. Text after the last
newline is therefore an unfinished row: readers skip it, and the next writer removes it.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ValidationError

from fmau.core.errors import InputError, Problem, RunError, problems_of

SYNC_ROWS = 64
SYNC_SECONDS = 2.0
"""Every row is passed to the kernel immediately, so killing the process loses none. A power cut may
lose up to this many rows, or the rows of this many seconds, whichever is less."""

_TAIL_BYTES = 64 * 1024

RowT = TypeVar("RowT", bound=BaseModel)


class RowFile:
    """Appends rows to one file; use it as a context manager. A file may have one writer only.

    Attributes:
        path: path of the file; it is created if missing.

    Raises:
        RunError: the file cannot be opened or repaired (read-only, a folder, no permission).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, 0o644)
            self._bytes = _cut_unfinished_row(self._descriptor)
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror}") from error
        self._unsynced = 0
        self._synced_at = time.monotonic()

    def append(self, row: BaseModel) -> None:
        """Write one row.

        Raises:
            RunError: the disk is full or failing; the file then ends with the previous row.
        """
        line = (row.model_dump_json(exclude_none=True) + "\n").encode("utf-8")
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):  # the disk is full; writing the rest raises the reason
                os.write(self._descriptor, line[written:])
        except OSError as error:
            os.ftruncate(self._descriptor, self._bytes)
            raise RunError(
                f"{self.path}: cannot be written: {error.strerror}; make room, then start the "
                "same command again: every row before this one is safe"
            ) from error
        self._bytes += len(line)
        self._unsynced += 1
        if self._unsynced >= SYNC_ROWS or time.monotonic() - self._synced_at >= SYNC_SECONDS:
            self._sync()

    def close(self) -> None:
        """Write all rows to the disk and close the file."""
        self._sync()
        os.close(self._descriptor)

    def _sync(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise RunError(f"{self.path}: the disk reports: {error.strerror}") from error
        self._unsynced = 0
        self._synced_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_rows(path: Path, row_type: type[RowT]) -> list[RowT]:
    """All finished rows of a file, as a list; see `iter_rows`."""
    return list(iter_rows(path, row_type))


def iter_rows(path: Path, row_type: type[RowT]) -> Iterator[RowT]:
    """Yield the finished rows of a file in the order written; none if there is no file yet.

    Raises:
        InputError: some rows are not JSON or do not fit `row_type`; raised after the last row, with
            the line number of each.
        RunError: the file cannot be read.
    """
    problems = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break  # an unfinished row
                try:
                    yield row_type.model_validate_json(line)
                except ValidationError as error:
                    what = problems_of(error, row_type, whole="line")[0]
                    remedy = "delete this line; fmau answer or fmau judge then makes it again"
                    problems.append(Problem(f"{path} line {number}", what, remedy))
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    if problems:
        raise InputError(problems)


def _cut_unfinished_row(descriptor: int) -> int:
    """Truncate the file after its last newline; returns the remaining size in bytes."""
    size = end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
    return end
