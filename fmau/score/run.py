"""A run folder, read and scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmau.core.errors import RunError
from fmau.core.files import write_whole
from fmau.core.parsing import parse_json
from fmau.core.records import Answer, QuestionFile, Verdict
from fmau.dataset.questions import load_questions
from fmau.runs import Manifest, read_answers, read_manifest, read_verdicts
from fmau.score.compare import Comparison, compare
from fmau.score.compute import score
from fmau.score.scores import Scores

SCORES = "scores.json"
TRAINING = "training.json"


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """What there is to say about one run.

    Attributes:
        name: of the run.
        manifest: its conditions and sessions.
        questions: the question file that its recipe names, with whatever gold it has.
        answers: qid -> latest answer row.
        verdicts: of all judges, the latest row of every call.
        scores: of these answers and verdicts.
        training: rows of `training.json`, if the run's folder holds a training's log.
    """

    name: str
    manifest: Manifest
    questions: QuestionFile
    answers: Mapping[str, Answer]
    verdicts: Sequence[Verdict]
    scores: Scores
    training: Sequence[Mapping[str, Any]] = ()

    @property
    def blind(self) -> bool:
        """Whether the model was asked without the clips."""
        return bool(self.manifest.recipe["answer"].get("blind", False))


def score_run(folder: str | Path) -> ScoredRun:
    """Score a run's answers and write `scores.json` into its folder, in place of an older one.

    Raises:
        RunError: no run there, or the folder cannot be read or written.
        InputError: the question file or `answers.jsonl` has defects, or they do not fit together.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    questions = load_questions(Path(manifest.recipe["data"]["questions"]))
    answers = {row.qid: row for row in read_answers(folder)}
    verdicts = read_verdicts(folder)
    heard = {row.judge for row in verdicts}
    judges = {name: note.proxy for name, note in manifest.judges.items() if name in heard}
    scores = score(questions, answers, verdicts, judges)
    write_whole(folder / SCORES, scores.model_dump_json(indent=2) + "\n")
    return ScoredRun(
        manifest.recipe["name"],
        manifest,
        questions,
        answers,
        verdicts,
        scores,
        _training_log(folder / TRAINING),
    )


def _training_log(path: Path) -> list[dict[str, Any]]:
    """The rows that a training left; none if there was none.

    Raises:
        RunError: the file is damaged.
    """
    try:
        rows = parse_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); move it aside") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RunError(f"{path}: is no log of a training; move it aside")
    return rows


def compare_runs(first: ScoredRun, second: ScoredRun) -> Comparison:
    """How two runs of the same questions differ.

    Levels are compared where one judge scored both: an LLM if there is one, else the proxy.

    Raises:
        RunError: they answered different question files, or no question has gold.
    """
    if first.questions != second.questions:
        raise RunError(
            f"{first.name} and {second.name} answered different questions; only answers to the "
            "same ones can be compared"
        )
    judges = _common_judges(first.manifest, second.manifest)
    if not judges:
        return compare(first.questions, first.answers, second.answers)
    judge = min(judges, key=lambda name: judges[name])  # False, an LLM, before True, a proxy
    of_first, of_second = (
        [row for row in run.verdicts if row.judge == judge] for run in (first, second)
    )
    return compare(
        first.questions,
        first.answers,
        second.answers,
        verdicts=(of_first, of_second),
        judge=judge,
        judge_is_proxy=judges[judge],
    )


def _common_judges(first: Manifest, second: Manifest) -> dict[str, bool]:
    """Name -> whether it is a proxy, of judges that were the same in both runs."""
    return {
        name: note.proxy
        for name, note in first.judges.items()
        if name in second.judges and second.judges[name].fingerprint == note.fingerprint
    }
