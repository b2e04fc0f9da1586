"""A run folder, read and scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fmau.dataset.questions import load_questions
from fmau.errors import RunError
from fmau.records import Answer, QuestionFile
from fmau.runs import Manifest, read_answers, read_manifest
from fmau.score import Scores, score

SCORES = "scores.json"


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """What there is to say about one run.

    Attributes:
        name: of the run.
        manifest: its conditions and sessions.
        questions: the question file that its recipe names, with whatever gold it has.
        answers: qid -> latest answer row.
        scores: of these answers.
    """

    name: str
    manifest: Manifest
    questions: QuestionFile
    answers: Mapping[str, Answer]
    scores: Scores


def score_run(folder: Path) -> ScoredRun:
    """Score a run's answers and write `scores.json` into its folder, in place of an older one.

    Raises:
        RunError: no run there, or the folder cannot be read or written.
        InputError: the question file or `answers.jsonl` has defects, or they do not fit together.
    """
    manifest = read_manifest(folder)
    questions = load_questions(Path(manifest.recipe["data"]["questions"]))
    answers = {row.qid: row for row in read_answers(folder)}
    scores = score(questions, answers)
    try:
        (folder / SCORES).write_text(scores.model_dump_json(indent=2) + "\n", "utf-8")
    except OSError as error:
        raise RunError(f"{folder / SCORES}: cannot be written: {error.strerror}") from error
    return ScoredRun(manifest.recipe["name"], manifest, questions, answers, scores)
