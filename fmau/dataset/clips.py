"""Clip names: checks them, and finds the video file of a clip in a folder.

All readers of question and training files use it.
"""

from pathlib import Path, PurePosixPath
from typing import Any

CLIP_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm")


def name_fault(name: Any) -> tuple[str, str] | None:
    """Check the clip name of a row: (problem, remedy), or None if the name is good.

    Clips are looked up by name in one folder, so a name must not be a path out of it.
    """
    if not isinstance(name, str) or not name.strip():
        return f"the clip name is {name!r}", "write the clip's file name"
    if "/" in name or "\\" in name or "\0" in name or name in (".", ".."):
        remedy = "write a plain file name; clips are looked up in the recipe's folder of clips"
        return f"the clip name {name!r} is a path", remedy
    return None


def clip_name(name: str) -> str:
    """A clip's name as fmau uses it: without the suffix of the video file."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in CLIP_SUFFIXES else name


def clip_path(folder: Path, clip: str) -> Path:
    """Find the file of a clip in a folder, with any suffix of `CLIP_SUFFIXES`.

    Args:
        clip: a name for which `name_fault` is None, so that the path cannot leave `folder`.

    Returns:
        The first file found. If there is none, the path that ends in .mp4, so that whoever opens it
        can report it as missing.
    """
    for suffix in CLIP_SUFFIXES:
        path = folder / f"{clip}{suffix}"
        if path.exists():
            return path
    return folder / f"{clip}{CLIP_SUFFIXES[0]}"
