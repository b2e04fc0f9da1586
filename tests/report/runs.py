"""Run folders and scored runs for the tests here."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fmau.core.records import Answer, QuestionFile, RowMark, Verdict
from fmau.core.taxonomy import OwnTask, Task
from fmau.prompting.prompts import PromptSet
from fmau.recipe import Recipe
from fmau.runs import Manifest, open_run
from fmau.score import ScoredRun, score

PROMPTS = PromptSet(
    system="Be exact.", common="One person.", tasks={t: f"{t}: {{question}}" for t in Task}
)


def recipe(folder: Path, name: str, questions: Path) -> Recipe:
    """A recipe whose run lies in `folder`/`name`."""
    return Recipe.model_validate(
        {
            "name": name,
            "runs": folder,
            "model": {"path": "some/model", "dtype": "float32", "revision": "abc"},
            "data": {"questions": questions, "clips": folder},
            "frames": {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 65536},
            "prompt": {"set": "zero_shot"},
        }
    )


def write_questions(path: Path, questions: QuestionFile) -> Path:
    """The question file in the official format."""
    rows = []
    for q in questions.questions:
        lines = [q.stem, *(f"{option.letter}. {option.label}" for option in q.options)]
        row = {"video_name": q.clip, "task": str(q.task), "qid": q.qid}
        row |= {"question": "\n".join(lines)}
        row |= {"type": q.task.kind} if isinstance(q.task, OwnTask) else {}
        rows.append(row | ({"answer": questions.gold[q.qid]} if q.qid in questions.gold else {}))
    path.write_text(json.dumps(rows), "utf-8")
    return path


def write_run(
    folder: Path, name: str, questions: QuestionFile, answers: Mapping[str, Answer]
) -> Path:
    """A run folder with these answers, as the answering stage leaves it."""
    file = folder / f"{name}-questions.json"
    asked = {question.qid: question for question in questions.questions}
    with open_run(recipe(folder, name, write_questions(file, questions)), PROMPTS) as run:
        for answer in answers.values():
            run.append(marked(answer, run.row_mark(asked[answer.qid], None)))
    return run.folder


def marked(answer: Answer, mark: RowMark) -> Answer:
    """The answer with the fingerprints of a run."""
    prints = {"fingerprint": mark.fingerprint, "fingerprint_without_clip": mark.without_clip}
    return answer.model_copy(update=prints)


def scored(
    name: str,
    questions: QuestionFile,
    answers: Mapping[str, Answer],
    verdicts: Sequence[Verdict] = (),
    judges: Mapping[str, bool] | None = None,
) -> ScoredRun:
    """A scored run that never was on a disk."""
    tree = recipe(Path("runs"), name, Path("q.json")).model_dump(mode="json")
    manifest = Manifest(
        fingerprint="0" * 64, conditions={}, recipe=tree, recipe_hash="", prompt_hashes={}
    )
    scores = score(questions, answers, verdicts, judges)
    return ScoredRun(name, manifest, questions, answers, verdicts, scores)
