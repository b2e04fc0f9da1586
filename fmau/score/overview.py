"""What is in the run folders of a folder, for `fmau runs`, without reading the question files."""

import shutil
from collections import Counter
from pathlib import Path

from pydantic import ValidationError

from fmau.core.errors import InputError, RunError
from fmau.core.records import Record
from fmau.runs import FINAL, read_answers, read_manifest, reopen_run
from fmau.score.run import SCORES
from fmau.score.scores import Scores


class RunOverview(Record):
    """One run folder at a glance.

    Attributes:
        name: name of the folder.
        folder: its path.
        model, adapter: what answered.
        questions: path of the question file in the recipe.
        status: for people: how far it is, or what is wrong with the folder.
        answered: questions with a final row; None if the rows cannot be read.
        judges: names of its judges.
        own_tasks: name of a task of one's own -> accuracy in percent, likewise.
        closed_avg, final: as last written to scores.json; None if they are not known.
        size: bytes of all files.
        last_session: when it was last worked on (UTC); None if it never was.
    """

    name: str
    folder: Path
    model: str | None
    adapter: str | None
    questions: str | None
    status: str
    answered: int | None
    judges: tuple[str, ...]
    own_tasks: dict[str, float]
    closed_avg: float | None
    final: float | None
    size: int
    last_session: str | None


def overview(folder: Path) -> list[RunOverview]:
    """The runs in a folder, by name. A folder without a manifest is no run.

    Raises:
        RunError: there is no such folder.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; give the folder that holds the runs")
    return [_overview(path.parent) for path in sorted(folder.glob("*/manifest.json"), key=str)]


def delete_run(folder: Path) -> None:
    """Delete a run folder with all that is in it.

    Raises:
        RunError: it is no run, another process is working on it, or it cannot be deleted.
    """
    read_manifest(folder)
    with reopen_run(folder, "delete"):
        pass  # nobody else is at work on it
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise RunError(f"{folder}: cannot be deleted: {error.strerror or error}") from error


def _overview(folder: Path) -> RunOverview:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        manifest = read_manifest(folder)
    except RunError as error:
        return _damaged(folder, size, str(error))
    scores = _scores(folder)
    answered, status = _status(folder)
    return RunOverview(
        name=folder.name,
        folder=folder,
        model=manifest.recipe["model"]["path"],
        adapter=manifest.adapter,
        questions=str(manifest.recipe["data"]["questions"]),
        status=status,
        answered=answered,
        judges=tuple(manifest.judges),
        own_tasks={
            task.task: task.accuracy.percent
            for task in (scores.own_tasks if scores else ())
            if task.accuracy
        },
        closed_avg=scores.closed_avg.percent if scores and scores.closed_avg else None,
        final=scores.final if scores else None,
        size=size,
        last_session=manifest.sessions[-1].started if manifest.sessions else None,
    )


def _damaged(folder: Path, size: int, why: str) -> RunOverview:
    return RunOverview(
        name=folder.name,
        folder=folder,
        model=None,
        adapter=None,
        questions=None,
        status=why,
        answered=None,
        judges=(),
        own_tasks={},
        closed_avg=None,
        final=None,
        size=size,
        last_session=None,
    )


def _status(folder: Path) -> tuple[int | None, str]:
    """Number of questions with a final row, and the state in words."""
    try:
        rows = read_answers(folder)
    except (InputError, RunError) as error:
        return None, str(error).partition("\n")[0]
    ended = Counter(row.status for row in rows)
    final = sum(count for status, count in ended.items() if status in FINAL)
    failed = sum(ended.values()) - final
    if not ended:
        return 0, "no answers"
    return final, f"{final:,} answered" + (f", {failed:,} failed" if failed else "")


def _scores(folder: Path) -> Scores | None:
    """The scores that were last written; None if there are none of this version."""
    try:
        return Scores.model_validate_json((folder / SCORES).read_bytes())
    except (OSError, ValidationError):
        return None
