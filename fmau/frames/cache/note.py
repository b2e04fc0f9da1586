"""`cache.json`, which says what a cache holds."""

from pathlib import Path
from typing import Literal

from fmau.core.errors import RunError
from fmau.core.files import read_record, write_whole
from fmau.core.records import Record
from fmau.recipe import FramesBlock
from fmau.runs.conditions import differences

NOTE = "cache.json"


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
    write_whole(folder / NOTE, CacheNote(frames=spec).model_dump_json(indent=2) + "\n")


def read_note(folder: Path) -> CacheNote:
    """What the cache in `folder` holds.

    Raises:
        RunError: there is no cache, or one of another version.
    """
    remedy = "delete the folder, then run fmau frames"
    try:
        return read_record(folder / NOTE, CacheNote, remedy)
    except FileNotFoundError:
        raise RunError(f"{folder}: no frame cache (no {NOTE}); fill it with fmau frames") from None


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
