"""Checkpoints that are whole or not there.

The Trainer writes a checkpoint file by file, on several ranks. A process killed in between leaves a
folder that looks like a checkpoint and isn't. So a marker is written last, after all ranks are
done, and a folder without it is never resumed from.
"""

import re
import shutil
from pathlib import Path

MARKER = "complete"


def mark_complete(checkpoint: Path) -> None:
    """Say that every file of the checkpoint is written."""
    (checkpoint / MARKER).touch()


def latest_complete(folder: Path) -> Path | None:
    """The complete checkpoint of the most steps in `folder`, None if there is none."""
    complete = [path for path in _checkpoints(folder) if (path / MARKER).exists()]
    return max(complete, key=_steps, default=None)


def remove_incomplete(folder: Path) -> list[Path]:
    """Delete what killed processes left half written.

    Returns:
        The folders deleted.
    """
    broken = [path for path in _checkpoints(folder) if not (path / MARKER).exists()]
    for path in broken:
        shutil.rmtree(path)
    return broken


def _checkpoints(folder: Path) -> list[Path]:
    named = re.compile(r"checkpoint-\d+")
    return [path for path in folder.glob("checkpoint-*") if named.fullmatch(path.name)]


def _steps(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
