"""Read and write files safely, lock folders, and compute digests.

A reader never sees a half-written file: a file is written under a temporary name, flushed to the
disk, and then renamed to its final name in one atomic step.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from fmau.core.errors import (
    InputError,
    Problem,
    ReadOnlyError,
    RecipeError,
    RunError,
    problems_of,
)
from fmau.core.parsing import parse_yaml
from fmau.core.texts import with_newlines

ModelT = TypeVar("ModelT", bound=BaseModel)

READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""Error numbers that more room on the disk does not mend."""

LOCK = ".lock"
UNFINISHED = ".part"
"""Suffix of a file that is being written. The next write replaces one that a kill left behind."""


_UNPACK = "unpack or convert it to JSON in UTF-8"
_FROM_PARQUET = (
    'convert it: python -c "import json, pyarrow.parquet as p; '
    "json.dump(p.read_table('FILE').to_pylist(), open('NEW.json', 'w'))\""
)
_KINDS = {
    b"PAR1": ("a Parquet file", _FROM_PARQUET),
    b"ARROW1": ("an Arrow file", _UNPACK),
    b"PK\x03\x04": ("a ZIP archive or an Excel file", _UNPACK),
    b"\x1f\x8b": ("a gzip archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("a zstd archive", _UNPACK),
    b"SQLite format 3\x00": ("an SQLite database", _UNPACK),
}
"""First bytes of a file -> what it is, and what to do with it."""

_PATH_REMEDIES = {
    errno.ENAMETOOLONG: "check the path",
    errno.ELOOP: "the link leads back to itself; name the file itself",
    errno.EINVAL: "copy what it gives into a file, because fmau reads it more than once",
}


def read_bytes(path: Path) -> bytes:
    """`Path.read_bytes`, but a pipe or device is an OSError; reading a pipe could wait for ever.

    Raises:
        OSError: as for `Path.read_bytes`; EINVAL for what is not a regular file or folder.
    """
    try:
        kind = path.stat().st_mode
    except ValueError:  # a name with a zero byte
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise OSError(errno.EINVAL, "not a file, but a pipe or device")
    return path.read_bytes()


def path_remedy(path: Path) -> str:
    """Advice for a path where nothing is. A relative one is told with the folder it starts at."""
    if path.is_absolute():
        return "check the path"
    return f"check the path; a relative one starts at the current folder, {Path.cwd()}"


def read_text(path: Path) -> str:
    """Read an input file in UTF-8, with or without a byte order mark. Line ends become "\\n".

    Raises:
        InputError: the file is missing, a folder, a pipe, unreadable, not UTF-8, or of a binary
            format, which is named.
    """
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        raise InputError([Problem(str(path), "no such file", path_remedy(path))]) from None
    except IsADirectoryError:
        raise InputError([Problem(str(path), "is a folder", "name the file itself")]) from None
    except OSError as error:
        remedy = _PATH_REMEDIES.get(error.errno or 0, "check its permissions")
        problem = Problem(str(path), f"cannot be read ({error.strerror})", remedy)
        raise InputError([problem]) from None
    for start, (kind, remedy) in _KINDS.items():
        if content.startswith(start):
            raise InputError([Problem(str(path), f"is {kind}, not text", remedy)])
    try:
        return with_newlines(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        problem = Problem(str(path), f"not UTF-8 ({error})", "save the file as UTF-8")
        raise InputError([problem]) from None


def read_yaml(path: Path) -> Any:
    """Read a YAML file of fmau's own kinds: a recipe, a prompt set, a judge, a rubric.

    Raises:
        RecipeError: the file cannot be read, or is not YAML.
    """
    try:
        return parse_yaml(read_bytes(path).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML: {error}") from None


def read_record(path: Path, kind: type[ModelT], remedy: str) -> ModelT:
    """Read a JSON file that fmau wrote itself, as a record of class `kind`.

    Args:
        remedy: advice in the error text for a damaged file.

    Raises:
        FileNotFoundError: there is no such file; the caller has to handle it.
        RunError: the file cannot be read, or is damaged.
    """
    try:
        return kind.model_validate_json(read_bytes(path))
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
    """Open a file for writing that appears as `path` only when it is complete.

    It gets its name after the block ended without an error and all data is on the disk. If another
    process is writing the same file, this one waits for it, then replaces what it wrote.

    Raises:
        ReadOnlyError: the folder is read-only.
        RunError: the disk is full or failing; an older file at `path` is unchanged.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with _open_alone(unfinished) as file, ExitStack() as undo:
            undo.callback(unfinished.unlink, missing_ok=True)
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(unfinished, path)
            undo.pop_all()
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> RunError:
    """Why something cannot be written, and what to do."""
    what = f"{path}: cannot be written: {error.strerror or error}"
    if error.errno in READ_ONLY:
        return ReadOnlyError(f"{what}; make the folder writable, or give another one")
    return RunError(
        f"{what}; make room on the disk, then start the same command again: complete files are safe"
    )


def _open_alone(path: Path) -> BinaryIO:
    """Open an unfinished file, empty and locked until it is closed."""
    while True:
        with ExitStack() as undo:
            file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "wb")
            undo.callback(file.close)
            fcntl.flock(file, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    file.truncate(0)
                    undo.pop_all()
                    return file
        # Whoever held the lock has given this file its final name: take a new one.


def write_whole(path: Path, text: str) -> None:
    """Write a UTF-8 text file that is complete or absent, see `whole_file`.

    Raises:
        RunError: as for `whole_file`.
    """
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write to that gets the name `folder` only when it is complete.

    It is `folder` with the suffix `UNFINISHED` until the block has ended without an error and all
    data is on the disk. What an earlier call left there is deleted first.

    Raises:
        RunError: `folder` is a file or is not empty, another process is writing it, or it cannot
            be written.
    """
    unfinished = folder.with_name(folder.name + UNFINISHED)
    with hold_folder(unfinished, f"another process is writing {folder.name}"):
        try:
            if folder.is_file():
                raise RunError(f"{folder}: is a file, not a folder; give another path")
            if folder.exists() and any(folder.iterdir()):
                raise RunError(f"{folder}: the folder is not empty; give another one")
            for left in unfinished.iterdir():
                if left.is_dir():
                    shutil.rmtree(left)
                elif left.name != LOCK:
                    left.unlink()
            yield unfinished
            for path in unfinished.rglob("*"):
                if path.is_file():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
            (unfinished / LOCK).unlink()
            os.replace(unfinished, folder)
        except OSError as error:
            raise _not_written(folder, error) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)  # exists only if the block failed


def make_folder(folder: Path) -> None:
    """Create a folder and its parent folders, if they do not exist yet.

    Raises:
        RunError: the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be made: {error.strerror}") from error


def hold_folder(folder: Path, busy: str) -> FileLock:
    """Lock a folder for this process until `release()`; a missing folder is created.

    If the process dies, the kernel releases the lock.

    Args:
        busy: error text if another process has the lock, e.g. "another process is writing to this
            run".

    Raises:
        RunError: another process has the lock, or the folder is not writable.
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
