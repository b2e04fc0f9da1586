"""Clips by name: how files of questions and captions call them, and where they lie."""

from pathlib import Path, PurePosixPath
from typing import Any

CLIP_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm")


def name_fault(name: Any) -> tuple[str, str] | None:
    """What is wrong with the name that a row gives its clip, and the remedy; None if nothing is.

    Clips are looked up by name in one folder, so a name must not lead out of it.
    """
    if not isinstance(name, str) or not name.strip():
        return f"the clip name is {name!r}", "write the clip's file name"
    if "/" in name or "\\" in name or "\0" in name or name in (".", ".."):
        remedy = "write a plain file name; clips are looked up in the recipe's folder of clips"
        return f"the clip name {name!r} is a path", remedy
    return None


def clip_name(name: str) -> str:
    """A clip's name as fmau writes it: without the suffix of a video file."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in CLIP_SUFFIXES else name


def clip_path(folder: Path, clip: str) -> Path:
    """The file of a clip in a folder of clips, whichever known suffix it has.

    Args:
        clip: a name without `name_fault`, so that the path cannot leave `folder`.

    Returns:
        Where no file exists, the path that ends in .mp4, for the reader to report.
    """
    for suffix in CLIP_SUFFIXES:
        path = folder / f"{clip}{suffix}"
        if path.exists():
            return path
    return folder / f"{clip}{CLIP_SUFFIXES[0]}"
