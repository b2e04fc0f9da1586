"""Tells complete checkpoints from incomplete ones; used by `fmau.train.run` and `.trainer`.

The Trainer writes a checkpoint file by file, on several processes. A process that is killed
meanwhile leaves an incomplete folder. So a marker file is written last, after all processes are
done, and training never resumes from a folder without it.
"""

import re
import shutil
from pathlib import Path

MARKER = "complete"


def mark_complete(checkpoint: Path) -> None:
    """Mark a checkpoint whose files are all written."""
    (checkpoint / MARKER).touch()


def latest_complete(folder: Path) -> Path | None:
    """The complete checkpoint with the most steps in `folder`; None if there is none."""
    complete = [path for path in _checkpoints(folder) if (path / MARKER).exists()]
    return max(complete, key=_steps, default=None)


def remove_incomplete(folder: Path) -> list[Path]:
    """Delete incomplete checkpoints, which killed processes left.

    Returns:
        The deleted folders.
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
