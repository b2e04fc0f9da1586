"""Opens, locks and reads run folders; every stage after `fmau check` works on one."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from fmau.core.errors import RunError
from fmau.core.files import digest, hold_folder
from fmau.core.records import Answer, AnswerStatus, Question, RowMark, Verdict
from fmau.prompting.prompts import PromptSet
from fmau.recipe import Recipe
from fmau.runs.conditions import conditions, differences, fingerprint, row_mark
from fmau.runs.manifest import MANIFEST, Manifest, Session, read_manifest, utc_now
from fmau.runs.rows import RowFile, iter_rows, read_rows

ANSWERS = "answers.jsonl"
VERDICTS = "verdicts.jsonl"
BUSY = "another process is writing to this run"

FINAL = frozenset({AnswerStatus.OK, AnswerStatus.UNPARSED, AnswerStatus.TRUNCATED})
"""Statuses that are not asked again: decoding is greedy, so the reply would be the same. The other
statuses are faults of a disk or a server, which may be gone at the next start."""


class Run:
    """A run folder that this process has locked for writing; use it as a context manager.

    Attributes:
        folder: the run folder.
        manifest: the manifest, equal to the file.
    """

    def __init__(self, folder: Path, manifest: Manifest, stage: str, lock: FileLock) -> None:
        self.folder = folder
        self.manifest = manifest
        self._final = _final_fingerprints(folder)
        self._session = Session.start(stage)
        self._lock = lock
        manifest.sessions.append(self._session)
        manifest.save(folder)  # before the first row: rows without a manifest cannot be used
        self._rows = RowFile(folder / ANSWERS)

    @property
    def adapter(self) -> str | None:
        """Folder of the LoRA adapter that the model answers with; None without."""
        return self.manifest.adapter

    def row_mark(self, question: Question, clip_bytes: int | None) -> RowMark:
        """Fingerprints of the run's conditions with this question and its clip's size in bytes."""
        return row_mark(self.manifest.fingerprint, question, clip_bytes)

    def is_done(self, qid: str, row_fingerprint: str) -> bool:
        """Whether the run, when it was opened, had a final answer with this fingerprint."""
        return self._final.get(qid) == row_fingerprint

    def append(self, answer: Answer) -> None:
        """Write one row.

        Raises:
            RunError: the disk is full or failing; all earlier rows are safe.
        """
        self._rows.append(answer)

    def note(self, facts: dict[str, Any]) -> None:
        """Add measurements of the stage to this session's entry in the manifest."""
        self._session.facts.update(facts)
        self.manifest.save(self.folder)

    def close(self) -> None:
        """Write everything to the disk, note the end time, and unlock the folder."""
        try:
            self._rows.close()
            self._session.ended = utc_now()
            self.manifest.save(self.folder)
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_run(
    recipe: Recipe, prompts: PromptSet, *, adapter: Path | None = None, stage: str = "answer"
) -> Run:
    """Create the recipe's run folder, or open an existing one to continue.

    Args:
        adapter: folder of the LoRA adapter that the server applies; None without.
        stage: name of the command, for the manifest.

    Raises:
        RunError: another process writes to the folder, its answers were given under other
            conditions (each difference is named), or it cannot be written.
        RecipeError: the model or adapter folder has no weight file.
        InputError: `answers.jsonl` has malformed rows.
    """
    folder = recipe.run_folder
    present = conditions(recipe, prompts, adapter)
    with ExitStack() as undo:
        lock = hold_folder(folder, BUSY)
        undo.callback(lock.release)
        if (folder / MANIFEST).exists():
            manifest = read_manifest(folder)
            _check_same(folder, manifest, present)
            # Parts of the recipe that are not conditions may differ: record the newest recipe.
            manifest.recipe = recipe.model_dump(mode="json")
            manifest.recipe_hash = digest(manifest.recipe)
        elif (folder / ANSWERS).exists():
            raise RunError(
                f"{folder}: has {ANSWERS} but no {MANIFEST}, so it is unknown which model gave "
                "these answers; move the folder away, or give this run another name "
                "(--set name=NAME)"
            )
        else:
            manifest = _new_manifest(recipe, prompts, present, adapter)
        run = Run(folder, manifest, stage, lock)
        undo.pop_all()  # from here on the run releases the lock
    return run


@dataclass(frozen=True, slots=True)
class RunView:
    """What a run has answered so far, for a look that writes nothing.

    Attributes:
        fingerprint: of the recipe's conditions.
        final: qid -> fingerprint of its row, for questions with a final answer.
    """

    fingerprint: str
    final: Mapping[str, str]

    def row_mark(self, question: Question, clip_bytes: int | None) -> RowMark:
        """As `Run.row_mark`."""
        return row_mark(self.fingerprint, question, clip_bytes)

    def is_done(self, qid: str, row_fingerprint: str) -> bool:
        """As `Run.is_done`."""
        return self.final.get(qid) == row_fingerprint


def view_run(recipe: Recipe, prompts: PromptSet) -> RunView:
    """Look at the recipe's run folder, which need not exist yet, without opening it.

    Raises:
        RunError: its answers were given under other conditions, or it cannot be read.
        InputError: `answers.jsonl` has malformed rows.
    """
    folder, present = recipe.run_folder, conditions(recipe, prompts)
    if (folder / MANIFEST).exists():
        _check_same(folder, read_manifest(folder), present)
    return RunView(fingerprint(present), _final_fingerprints(folder))


def new_run(folder: Path, manifest: Manifest, stage: str) -> Run:
    """Create a run folder with a manifest of the caller's own, for answers given elsewhere.

    Raises:
        RunError: there is a run already, another process writes to the folder, or it cannot be
            written.
    """
    with ExitStack() as undo:
        lock = hold_folder(folder, BUSY)
        undo.callback(lock.release)
        if (folder / MANIFEST).exists() or (folder / ANSWERS).exists():
            raise RunError(
                f"{folder}: holds a run already; give another name, or delete the folder"
            )
        run = Run(folder, manifest, stage, lock)
        undo.pop_all()  # from here on the run releases the lock
    return run


def reopen_run(folder: Path, stage: str) -> Run:
    """Open an existing run for a stage that works on its answers, such as "judge".

    Raises:
        RunError: the folder holds no run, another process writes to it, or it cannot be written.
        InputError: `answers.jsonl` has malformed rows.
    """
    read_manifest(folder)  # before locking, because the lock creates a file in the folder
    with ExitStack() as undo:
        lock = hold_folder(folder, BUSY)
        undo.callback(lock.release)
        run = Run(folder, read_manifest(folder), stage, lock)
        undo.pop_all()  # from here on the run releases the lock
    return run


def read_answers(folder: Path) -> list[Answer]:
    """The latest row of every question, in the order the questions were first asked.

    Raises:
        InputError: malformed rows, each with its line number.
        RunError: `answers.jsonl` cannot be read.
    """
    latest = {row.qid: row for row in read_rows(folder / ANSWERS, Answer)}
    return list(latest.values())


def read_verdicts(folder: Path) -> list[Verdict]:
    """The latest row of every call of a judge, in the order of the first attempts.

    Raises:
        InputError: malformed rows, each with its line number.
        RunError: `verdicts.jsonl` cannot be read.
    """
    rows = read_rows(folder / VERDICTS, Verdict)
    latest = {(row.judge, row.qid, row.levels, row.sample): row for row in rows}
    return list(latest.values())


def _final_fingerprints(folder: Path) -> dict[str, str]:
    """qid -> fingerprint of its latest row, if the status of that row is final.

    Rows are read one by one and not kept: a run may have millions.
    """
    final: dict[str, str] = {}
    for row in iter_rows(folder / ANSWERS, Answer):
        if row.status in FINAL:
            final[row.qid] = row.fingerprint
        else:
            final.pop(row.qid, None)
    return final


def _new_manifest(
    recipe: Recipe, prompts: PromptSet, present: dict[str, Any], adapter: Path | None
) -> Manifest:
    resolved = recipe.model_dump(mode="json")
    texts = {"system": prompts.system, "common": prompts.common}
    texts |= {task.value: text for task, text in prompts.tasks.items()}
    texts |= {f"systems.{task}": text for task, text in prompts.systems.items()}
    return Manifest(
        fingerprint=fingerprint(present),
        conditions=present,
        recipe=resolved,
        recipe_hash=digest(resolved),
        prompt_hashes={name: digest(text) for name, text in texts.items()},
        adapter=None if adapter is None else str(adapter),
    )


def _check_same(folder: Path, manifest: Manifest, present: dict[str, Any]) -> None:
    if manifest.fingerprint == fingerprint(present):
        return
    lines = [f"  {line}" for line in differences(manifest.conditions, present)]
    raise RunError(
        "\n".join(
            [
                f"{folder}: its answers were given under other conditions (there -> now):",
                *lines,
                "give this run another name (--set name=NAME), or delete the folder to start again",
            ]
        )
    )
