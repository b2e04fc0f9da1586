"""`cache.json`, which says what a cache holds; and files that are complete when they exist."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import ValidationError

from fmau.core.errors import RunError, first_problem
from fmau.core.records import Record
from fmau.recipe import FramesBlock
from fmau.runs.conditions import differences

NOTE = "cache.json"
TEMPORARY = "unfinished.tmp"
"""One name is enough: there is one builder at a time, and its next file replaces what it left."""


class CacheNote(Record):
    """The contents of `cache.json`.

    Attributes:
        format: of the shards; raise it with `SCHEMA`, and when equal blocks come to give other
            frames.
        frames: how every clip of the cache became frames.
    """

    format: Literal[2] = 2
    frames: FramesBlock


def write_note(folder: Path, spec: FramesBlock) -> None:
    """Say that the cache is of `spec`.

    Raises:
        RunError: the folder cannot be written.
    """
    with complete_file(folder / NOTE) as file:
        file.write(CacheNote(frames=spec).model_dump_json(indent=2).encode() + b"\n")


def read_note(folder: Path) -> CacheNote:
    """What the cache in `folder` holds.

    Raises:
        RunError: there is no cache, or one of another version.
    """
    path = folder / NOTE
    try:
        return CacheNote.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise RunError(f"{folder}: no frame cache (no {NOTE}); fill it with fmau frames") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        what = first_problem(error, whole="file")
        raise RunError(
            f"{path}: damaged, or written by another version of fmau ({what}); "
            "delete the folder, then run fmau frames"
        ) from None


def check_spec(folder: Path, spec: FramesBlock) -> None:
    """Refuse a cache of other frames than `spec` asks for.

    Raises:
        RunError: with every key that differs, or as `read_note`.
    """
    note = read_note(folder)
    lines = differences(note.model_dump(), CacheNote(frames=spec).model_dump())
    if lines:
        raise RunError(
            "\n".join(
                [
                    f"{folder}: holds the frames of another recipe (there -> asked for):",
                    *(f"  {line}" for line in lines),
                    "name another folder (data.cache or train.data.cache), or delete this one to "
                    "extract anew",
                ]
            )
        )


@contextmanager
def complete_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which gets its name when the block has ended well and the disk has it all.

    Raises:
        RunError: the disk is full or failing; what was there before is untouched.
    """
    temporary = path.with_name(TEMPORARY)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError(
            f"{path}: cannot be written: {error.strerror or error}; make room, then start the same "
            "command again: what is complete is kept"
        ) from error
