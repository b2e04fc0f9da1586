"""Reads and scores run folders, for `fmau score`, `fmau report` and `fmau compare`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fmau.core.errors import ReadOnlyError, RunError
from fmau.core.files import write_whole
from fmau.core.parsing import parse_json
from fmau.core.records import Answer, QuestionFile, Verdict
from fmau.runs import Manifest
from fmau.score.compare import compare
from fmau.score.comparison import Comparison
from fmau.score.compute import score
from fmau.score.joined import read_joined
from fmau.score.levels import Judgement
from fmau.score.scores import Scores
from fmau.score.unread import unread_notes

SCORES = "scores.json"
TRAINING = "training.json"


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """One run with its answers and scores.

    Attributes:
        name: name of the run.
        manifest: conditions and sessions of the run.
        questions: the questions of `file`, with their gold answers, if any.
        answers: qid -> latest answer row; only rows that answer the question as it is now.
        verdicts: verdicts of all judges on these answers; the latest row of every call.
        scores: the scores of these answers and verdicts.
        training: rows of `training.json`; empty if the run folder has no training log.
        notes: texts for people, about rows that were left out and scores that were not saved.
        file: path of the question file; None for a run that is not read from a folder.
        folder: the run folder; None likewise.
    """

    name: str
    manifest: Manifest
    questions: QuestionFile
    answers: Mapping[str, Answer]
    verdicts: Sequence[Verdict]
    scores: Scores
    training: Sequence[Mapping[str, Any]] = ()
    notes: tuple[str, ...] = ()
    file: Path | None = None
    folder: Path | None = None

    @property
    def blind(self) -> bool:
        """Whether the model was asked without the clips."""
        return bool(self.manifest.recipe["answer"].get("blind", False))


def score_run(folder: str | Path, questions: str | Path | None = None) -> ScoredRun:
    """Score a run's answers and write `scores.json` into its folder; an older one is replaced.

    If the folder is read-only, nothing is written, and `notes` says so unless the file that is
    there already has these scores.

    Rows that do not answer the questions as they are now are left out and counted apart.

    Args:
        questions: the question file; None for the one that the run's recipe names.

    Raises:
        RunError: the folder holds no run or no answers, cannot be read, its disk is full, or no row
            answers a question as it is now.
        InputError: the question file or a file of rows has defects, or they do not fit together.
    """
    folder = Path(folder)
    run = read_joined(folder, None if questions is None else Path(questions))
    if not run.answers and not run.stale:
        raise RunError(f"{folder}: the run has no answers; fmau answer RECIPE asks its questions")
    heard = {row.judge for row in run.verdicts if row.scores}
    judges = {name: note.proxy for name, note in run.manifest.judges.items() if name in heard}
    silent = [name for name in run.manifest.judges if name not in judges]
    scores = score(run.questions, run.answers, run.verdicts, judges, stale=frozenset(run.stale))
    notes = (
        *run.notes,
        *unread_notes(run.questions, run.answers),
        *_silent(silent, run.verdicts),
        *_save(folder / SCORES, scores),
    )
    return ScoredRun(
        run.manifest.recipe["name"],
        run.manifest,
        run.questions,
        run.answers,
        run.verdicts,
        scores,
        _training_log(folder / TRAINING),
        notes,
        run.file,
        folder,
    )


def _silent(judges: Sequence[str], verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """For people: the judges that gave no score at all, and why."""
    notes = []
    for name in judges:
        ended = Counter(row.status.value for row in verdicts if row.judge == name)
        if ended:
            told = ", ".join(f"{count:,} {status}" for status, count in ended.most_common())
            notes.append(
                f"left out: the judge {name}, which scored no answer ({told}); fmau judge with "
                "this judge says why, and its name may be used again"
            )
    return tuple(notes)


def _save(path: Path, scores: Scores) -> tuple[str, ...]:
    """Write scores unless the file has them already; returns a note if the folder is read-only."""
    text = scores.model_dump_json(indent=2) + "\n"
    with suppress(OSError):
        if path.read_bytes() == text.encode("utf-8"):
            return ()
    try:
        write_whole(path, text)
    except ReadOnlyError:
        return (f"{path} is not written, because the folder is read-only",)
    return ()


def _training_log(path: Path) -> list[dict[str, Any]]:
    """The rows of a training log; empty if there is no log.

    Raises:
        RunError: the file is damaged.
    """
    try:
        rows = parse_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: cannot be read ({error}); move it out of the run folder"
        ) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RunError(f"{path}: is not a training log; move it out of the run folder")
    return rows


def compare_runs(first: ScoredRun, second: ScoredRun) -> Comparison:
    """Compare two runs of the same questions.

    Levels are compared if one judge scored both runs: an LLM judge if there is one, else the proxy.

    Raises:
        RunError: the runs have different question files, or no question has a gold answer.
    """
    if first.questions != second.questions:
        raise RunError(
            f"{first.name} and {second.name} answered different questions; compare two runs with "
            "the same question file"
        )
    first, second = told_apart([first, second])
    names = (first.name, second.name)
    judge = _common_judge(first, second)
    if judge is None:
        return compare(first.questions, first.answers, second.answers, names=names)
    of_first, of_second = (
        [row for row in run.verdicts if row.judge == judge.judge] for run in (first, second)
    )
    return compare(
        first.questions,
        first.answers,
        second.answers,
        names=names,
        verdicts=(of_first, of_second),
        judge=judge.judge,
        judge_is_proxy=judge.proxy,
        judge_is_complete=judge.complete,
    )


def told_apart(runs: Sequence[ScoredRun]) -> list[ScoredRun]:
    """The runs, with their folders behind the names that several of them have.

    Raises:
        RunError: the same folder is given twice.
    """
    folders = [run.folder.resolve() for run in runs if run.folder is not None]
    for folder, times in Counter(folders).items():
        if times > 1:
            raise RunError(f"{folder}: the run is given {times} times; give each run once")
    named = Counter(run.name for run in runs)
    return [
        replace(run, name=f"{run.name} ({run.folder})") if named[run.name] > 1 else run
        for run in runs
    ]


def _common_judge(first: ScoredRun, second: ScoredRun) -> Judgement | None:
    """The judge whose levels are compared: one with the same conditions in both runs.

    An LLM comes before the proxy, then a judge that is complete in both runs. None if there is no
    such judge; the judgement is complete only if both are.
    """
    of_second = {found.judge: found for found in second.scores.judgements}
    noted = first.manifest.judges, second.manifest.judges
    same = {
        name
        for name in noted[0].keys() & noted[1].keys()
        if noted[0][name].fingerprint == noted[1][name].fingerprint
    }
    common = [
        found.model_copy(update={"complete": found.complete and of_second[found.judge].complete})
        for found in first.scores.judgements
        if found.judge in of_second and found.judge in same
    ]
    return min(common, key=lambda found: (found.proxy, not found.complete), default=None)
