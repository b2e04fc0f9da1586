"""Reads and writes `cache.json`, which says how the frames of a cache were made."""

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
        format: version of the shard format. Increase it when `SCHEMA` changes, and when a new
            version of fmau makes other frames from the same `FramesBlock`.
        frames: the settings with which every clip of the cache was made into frames.
    """

    format: Literal[3] = 3
    frames: FramesBlock


def write_note(folder: Path, spec: FramesBlock) -> None:
    """Write `cache.json`: the cache holds frames made with `spec`.

    Raises:
        RunError: the folder cannot be written.
    """
    write_whole(folder / NOTE, CacheNote(frames=spec).model_dump_json(indent=2) + "\n")


def read_note(folder: Path) -> CacheNote:
    """Read the `cache.json` of the cache in `folder`.

    Raises:
        RunError: the folder holds no cache, or a cache of another version.
    """
    remedy = "delete the folder, then run fmau frames"
    try:
        return read_record(folder / NOTE, CacheNote, remedy)
    except FileNotFoundError:
        raise RunError(f"{folder}: no frame cache (no {NOTE}); fill it with fmau frames") from None


def check_spec(folder: Path, spec: FramesBlock) -> None:
    """Check that the cache was made with `spec`.

    Raises:
        RunError: it was not; every key that differs is named. Also as `read_note`.
    """
    note = read_note(folder)
    lines = differences(note.model_dump(), CacheNote(frames=spec).model_dump())
    if lines:
        raise RunError(
            "\n".join(
                [
                    f"{folder}: its frames were made with other settings (there -> this recipe):",
                    *(f"  {line}" for line in lines),
                    "give another folder (data.cache or train.data.cache), or delete this one and "
                    "run fmau frames",
                ]
            )
        )
