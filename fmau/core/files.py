"""Files that are whole or not there at all, folders that one process holds, and digests of both.

A reader never sees a half-written file: it is written under a name of its own, brought to the disk,
and then takes the place of the old one in a single step.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from fmau.core.errors import InputError, Problem, RecipeError, RunError, problems_of
from fmau.core.parsing import parse_yaml

ModelT = TypeVar("ModelT", bound=BaseModel)

LOCK = ".lock"
UNFINISHED = ".part"
"""Suffix of a file that is being written. What a kill leaves of one is replaced by the next."""


def read_text(path: Path) -> str:
    """The text of an input file in UTF-8, with or without a byte order mark.

    Raises:
        InputError: it is missing, a folder, unreadable, or not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError([Problem(str(path), "no such file", "check the path")]) from None
    except IsADirectoryError:
        raise InputError([Problem(str(path), "is a folder", "name the file itself")]) from None
    except UnicodeDecodeError as error:
        problem = Problem(str(path), f"not UTF-8 ({error})", "save the file as UTF-8")
        raise InputError([problem]) from None
    except OSError as error:
        problem = Problem(str(path), f"cannot be read ({error.strerror})", "check its permissions")
        raise InputError([problem]) from None


def read_yaml(path: Path) -> Any:
    """The value in a YAML file of ours: a recipe, a prompt set, a rubric.

    Raises:
        RecipeError: it cannot be read, or is not YAML.
    """
    try:
        return parse_yaml(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML: {error}") from None


def read_record(path: Path, kind: type[ModelT], remedy: str) -> ModelT:
    """The record in a JSON file that fmau wrote itself.

    Args:
        remedy: what to do if it is damaged.

    Raises:
        FileNotFoundError: there is no such file; the caller knows what that means.
        RunError: it cannot be read, or is damaged.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise RunError(
            f"{path}: damaged, or written by another version of fmau "
            f"({problems_of(error, kind)[0]}); {remedy}"
        ) from None


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which gets its name when the block has ended well and the disk has it all.

    Only one process may write `path` at a time; see `hold_folder`.

    Raises:
        RunError: the disk is full or failing; what was there before is untouched.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written: {error.strerror or error}; make room, then start the same "
            "command again: what is complete is safe"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)  # of a block that failed; else it has its name by now


def write_whole(path: Path, text: str) -> None:
    """Write a text in UTF-8, as `whole_file` does.

    Raises:
        RunError: as `whole_file`.
    """
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))


def make_folder(folder: Path) -> None:
    """Make a folder to write to, and those above it; none of it need be missing.

    Raises:
        RunError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be made: {error.strerror}") from error


def hold_folder(folder: Path, busy: str) -> FileLock:
    """Take a folder for this process, until `release()`; made if missing.

    The kernel lets go of it when the process dies, however that happens.

    Args:
        busy: said where another process holds it, e.g. "another process is writing to this run".

    Raises:
        RunError: another process holds it, or it cannot be written.
    """
    make_folder(folder)
    lock = FileLock(folder / LOCK, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(f"{folder}: {busy}; wait for it, or stop it first") from None
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from error
    return lock


def digest(value: Any) -> str:
    """SHA-256 (hex) of a JSON-able value, independent of key order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's contents."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
