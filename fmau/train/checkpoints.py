"""Tells complete checkpoints from incomplete and damaged ones, for `fmau.train.run` and `.trainer`.

The Trainer writes a checkpoint file by file, on several processes. A process that is killed
meanwhile leaves an incomplete folder. So a mark is written last, after all processes are done, and
training never resumes from a folder without it. The mark lists every file with its digest, because
the Trainer silently starts with a new optimizer if the file of the old one is missing.
"""

import json
import re
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from fmau.core.errors import RunError
from fmau.core.files import file_digest, read_record, write_whole

MARKER = "complete"

KEPT = 2
"""Number of complete checkpoints that are kept: the last one and the best one, or the last two."""

REMEDY = (
    "restore it from a copy, or delete the checkpoint's folder: training then continues from the "
    "checkpoint before it, or from the start"
)


class Mark(BaseModel):
    """The contents of the file that marks a checkpoint as complete.

    Attributes:
        processes: number of processes that trained together.
        sharing: what they shared out, see `fmau.train.settings.sharing`.
        files: path inside the checkpoint -> SHA-256 of the file.
    """

    model_config = ConfigDict(extra="forbid")

    processes: int
    sharing: str
    files: dict[str, str]


def mark_complete(checkpoint: Path, *, sharing: str, processes: int) -> None:
    """Mark a checkpoint whose files are all written.

    Raises:
        RunError: the disk is full or failing.
    """
    files = {str(path.relative_to(checkpoint)): file_digest(path) for path in _files(checkpoint)}
    mark = Mark(processes=processes, sharing=sharing, files=files)
    write_whole(checkpoint / MARKER, mark.model_dump_json(indent=1))


def latest_complete(folder: Path) -> Path | None:
    """The complete checkpoint with the most steps in `folder`; None if there is none."""
    complete = [path for path in _checkpoints(folder) if (path / MARKER).exists()]
    return max(complete, key=_steps, default=None)


def resume_point(folder: Path, *, sharing: str, processes: int) -> Path | None:
    """The checkpoint from which training continues; None to begin at the start.

    It and the checkpoint with the best weights so far are read in full.

    Args:
        folder: folder of the run's checkpoints.
        sharing, processes: those of the present start, see `Mark`.

    Raises:
        RunError: a file of these checkpoints is missing or damaged, or the present processes cannot
            read what other ones have shared out.
    """
    latest = latest_complete(folder)
    if latest is None:
        return None
    _check_files(latest)
    _check_sharing(latest, sharing, processes)
    best = best_checkpoint(latest)
    if best is not None and best != latest:
        if not (best / MARKER).exists():
            raise RunError(
                f"{best}: holds the best weights so far, as {latest.name} says, but is missing or "
                f"incomplete; restore it from a copy, or delete {latest} too, to train again from "
                "the start"
            )
        _check_files(best)
    return latest


def best_checkpoint(checkpoint: Path) -> Path | None:
    """The checkpoint with the best weights when `checkpoint` was written; None if none was
    validated."""
    state = json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
    best: int | None = state["best_global_step"]
    return checkpoint.with_name(f"checkpoint-{best}") if best else None


def remove_incomplete(folder: Path) -> list[Path]:
    """Delete incomplete checkpoints, which killed processes left.

    Returns:
        The deleted folders.
    """
    broken = [path for path in _checkpoints(folder) if not (path / MARKER).exists()]
    for path in broken:
        shutil.rmtree(path)
    return broken


def remove_old(folder: Path, best: Path | None) -> None:
    """Delete complete checkpoints that are neither the last, nor the best, nor among the `KEPT`.

    It is called when the last one is complete: a kill at any time leaves one to continue from.
    """
    *older, last = sorted(_checkpoints(folder), key=_steps)
    protected = {last, *([best] if best is not None else [])}
    others = [path for path in older if path not in protected]
    for path in others[: len(others) - max(0, KEPT - len(protected))]:
        (path / MARKER).unlink()  # first: half a checkpoint must not look like a complete one
        shutil.rmtree(path)


def _check_files(checkpoint: Path) -> None:
    mark = _mark(checkpoint)
    for name, written in mark.files.items():
        path = checkpoint / name
        try:
            found = file_digest(path)
        except FileNotFoundError:
            raise RunError(f"{path}: is missing; {REMEDY}") from None
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror}; {REMEDY}") from error
        if found != written:
            raise RunError(f"{path}: damaged or changed since it was written; {REMEDY}")


def _check_sharing(checkpoint: Path, sharing: str, processes: int) -> None:
    mark = _mark(checkpoint)
    if mark.sharing != sharing:
        raise RunError(
            f"{checkpoint}: was written with {mark.sharing}, but this start uses {sharing}, which "
            "cannot read its optimizer; give accelerate launch the --config_file of before, or "
            f"delete the checkpoints in {checkpoint.parent} to train again"
        )
    if sharing.startswith("ZeRO") and mark.processes != processes:
        raise RunError(
            f"{checkpoint}: was written by {mark.processes} process(es), but {processes} are "
            f"training now; {sharing} shares out the optimizer among the processes, so start "
            f"{mark.processes} again (--num_processes {mark.processes}), or delete the checkpoints "
            f"in {checkpoint.parent} to train again"
        )


def _mark(checkpoint: Path) -> Mark:
    return read_record(checkpoint / MARKER, Mark, "delete the checkpoint's folder")


def _files(checkpoint: Path) -> list[Path]:
    found = (path for path in checkpoint.rglob("*") if path.is_file() and path.name != MARKER)
    return sorted(found)


def _checkpoints(folder: Path) -> list[Path]:
    named = re.compile(r"checkpoint-\d+")
    return [path for path in folder.glob("checkpoint-*") if named.fullmatch(path.name)]


def _steps(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
