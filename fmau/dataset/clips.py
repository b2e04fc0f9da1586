"""Clip names: checks them, and finds the video file of a clip in a folder.

All readers of question and training files use it. Files are named in many ways: with or without a
suffix, in capitals, with letters such as é in one character or in two. A name finds its file in any
of these ways. Where several files fit, none is taken, because it may be another clip's.
"""

import os
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from fmau.core.errors import ClipError

CLIP_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts")

LONGEST_NAME = 240
"""In bytes of UTF-8, without a suffix; file systems take 255."""

_WITH_QUERY = re.compile(rf"({'|'.join(map(re.escape, CLIP_SUFFIXES))})[?#]", re.IGNORECASE)


def name_fault(name: Any) -> tuple[str, str] | None:
    """Check the clip name of a row: (problem, remedy), or None if the name is good.

    Clips are looked up by name in one folder, so a name must not be a path out of it.
    """
    if not isinstance(name, str) or not name.strip():
        return f"the clip name is {name!r}", "write the clip's file name"
    if "/" in name or "\\" in name or "\0" in name or name in (".", ".."):
        remedy = "write a plain file name; clips are looked up in the recipe's folder of clips"
        return f"the clip name {name!r} is a path", remedy
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return f"the clip name {name!r} holds half a character", "write the clip's file name"
    if size > LONGEST_NAME:
        what = f"the clip name {name[:40]!r}... has {size} bytes"
        return what, f"use a name of at most {LONGEST_NAME} bytes"
    if _WITH_QUERY.search(name):
        return f"the clip name {name!r} ends like a web address", "write the file name alone"
    return None


def clip_name(name: str) -> str:
    """A clip's name as fmau uses it: without the suffix of the video file."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in CLIP_SUFFIXES else name


def clip_path(folder: Path, file: str) -> Path:
    """Find the video file of a clip.

    Args:
        file: as a row names it, with or without suffix. `name_fault` must be None for it, so that
            the path cannot leave `folder`.

    Returns:
        The file of exactly that name, or else the one file whose name differs only in its suffix,
        in capitals or in how letters are composed. If there is none, the path that ends in .mp4 (or
        as named), so that whoever opens it can report it as missing.

    Raises:
        ClipError: several files fit.
    """
    exact = folder / file
    if clip_name(file) != file and os.path.isfile(exact):  # False for a folder that cannot be
        return exact
    fitting = _files_by_name(folder, _written(folder)).get(_folded(clip_name(file)), ())
    named = [path for path in fitting if _folded(path.name) == _folded(file)]
    found = named or list(fitting)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ClipError(
            f"{folder}: several files fit the clip {file}: {names}; keep one of them, or name the "
            "file with its suffix"
        )
    if found:
        return found[0]
    return exact if clip_name(file) != file else folder / f"{file}{CLIP_SUFFIXES[0]}"


def clip_bytes(folder: Path, file: str) -> int | None:
    """Size of a clip's file; None if there is none, or if several fit its name.

    Args:
        file: as for `clip_path`.
    """
    try:
        path = clip_path(folder, file)
    except ClipError:
        return None
    return path.stat().st_size if path.is_file() else None


def clip_paths(folder: Path, files: Mapping[str, str]) -> tuple[dict[str, Path], dict[str, str]]:
    """Find the video files of many clips.

    Args:
        files: clip -> name to look its file up by.

    Returns:
        clip -> path, as `clip_path` finds it; and clip -> why several files fit it.
    """
    paths: dict[str, Path] = {}
    unclear: dict[str, str] = {}
    for clip, file in files.items():
        try:
            paths[clip] = clip_path(folder, file)
        except ClipError as error:
            unclear[clip] = str(error)
    return paths, unclear


def _folded(name: str) -> str:
    """A name without regard to capitals and to how its letters are composed."""
    return unicodedata.normalize("NFC", name).casefold()


def _written(folder: Path) -> int:
    """When a folder's list of names last changed, in nanoseconds; 0 if it is missing."""
    try:
        return folder.stat().st_mtime_ns
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        return 0


@lru_cache(maxsize=8)
def _files_by_name(folder: Path, written: int) -> dict[str, tuple[Path, ...]]:
    """Folded clip name -> the video files of that name, in the order of their suffixes.

    Args:
        written: makes a changed folder another entry of the cache.
    """
    found: dict[str, list[Path]] = {}
    if written and os.path.isdir(folder):
        for path in sorted(_listed(folder)):
            if path.suffix.lower() in CLIP_SUFFIXES and path.is_file():
                found.setdefault(_folded(clip_name(path.name)), []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise ClipError(f"{folder}: cannot be read: {error.strerror}; check its rights") from error
