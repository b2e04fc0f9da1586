"""A small run against the stub server: recipe, questions, and a reader that needs no video."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fmau.answer import Summary, answer_questions
from fmau.core.errors import ClipError
from fmau.core.records import AnswerStatus, Option, Question
from fmau.core.taxonomy import Task, parts
from fmau.frames.clip import ClipFrames
from fmau.frames.reader import ClipReader
from fmau.prompting.prompts import PromptSet
from fmau.recipe import FramesBlock, Recipe
from fmau.runs import open_run, read_answers
from fmau.serve.client import Endpoint
from tests.answer.stub_server import MODEL, reply_text

PROMPTS = PromptSet(system="s", common="c", tasks=dict.fromkeys(Task, "{question}"))


def recipe(root: Path, **answer: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "run",
            "runs": root / "runs",
            "model": {"path": MODEL, "dtype": "float32"},
            "data": {"questions": root / "q.json", "clips": root / "clips"},
            "frames": {"count": 2, "min_pixels_per_frame": 1024, "max_pixels_per_frame": 1024},
            "prompt": {"set": "zero_shot"},
            "answer": {"clips_in_flight": 3, "retries": 2, **answer},
        }
    )


def question(clip: str, task: Task, number: int) -> Question:
    """A question whose text names its qid, by which the stub server knows it."""
    qid = f"{task}_{clip}_{number}"
    options: tuple[Option, ...] = ()
    if task.is_choice:
        lettered = zip("ABCDEFG", parts(), strict=True)
        options = tuple(Option(letter, part.label) for letter, part in lettered)
        options = options[: task.option_count]
    return Question(qid, clip, task, f"[qid {qid}] What is seen?", options)


def questions(clips: int) -> list[Question]:
    """The benchmark's twelve questions about each of `clips` clips, in a scattered order."""
    return [
        question(f"clip{clip:02}", task, number)
        for task in Task
        for number in range(task.per_clip)
        for clip in range(clips)
    ]


def read_stub(path: Path, spec: FramesBlock) -> ClipFrames:
    """Frames made of the clip's name; names that contain "broken" cannot be read."""
    if "broken" in path.stem:
        raise ClipError(f"{path}: cannot be opened; copy it again")
    jpegs = (path.stem.encode() * 100,) * spec.count
    return ClipFrames(path.stem, jpegs, 32, 32, tuple(range(spec.count)), 30.0, 60, 2.0)


def stub_reader(root: Path) -> ClipReader:
    """What gives the frames of the clips of `recipe(root)`."""
    return ClipReader(recipe(root).frames, read=read_stub)


def model_folder(folder: Path, model_type: str) -> Path:
    """A checkpoint in name only, of a family."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    (folder / "model.safetensors").write_bytes(b"no weights")
    return folder


def answer(
    recipe: Recipe,
    asked: list[Question],
    base_url: str,
    *,
    adapter: Path | None = None,
    **options: Any,
) -> Summary:
    """Open the run and answer, without a progress bar."""
    reader = ClipReader(recipe.frames, recipe.data.cache, read=options.pop("read", read_stub))
    header = options.pop("key_header", "Authorization")
    endpoint = Endpoint(base_url, options.pop("api_key", None), key_header=header)
    usual: dict[str, Any] = {"progress": False, "reader": reader}
    with open_run(recipe, PROMPTS, adapter=adapter) as run:
        return answer_questions(run, recipe, PROMPTS, asked, endpoint, **(usual | options))


def rows(root: Path) -> dict[str, tuple[AnswerStatus, str | None]]:
    """qid -> status and answer, as the run folder of `recipe(root)` has them."""
    return {row.qid: (row.status, row.answer) for row in read_answers(root / "runs" / "run")}


def expected(asked: Sequence[Question]) -> dict[str, tuple[AnswerStatus, str | None]]:
    """The stub's replies worked out from the questions alone."""
    result: dict[str, tuple[AnswerStatus, str | None]] = {}
    for q in asked:
        valid = [o.letter for o in q.options] or ["Yes", "No"]
        result[q.qid] = (AnswerStatus.OK, reply_text(q.qid, None if q.task.is_open else valid))
    return result


if __name__ == "__main__":  # a client process for tests that kill it
    import sys

    root, base_url, clips = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    done = answer(recipe(root), questions(clips), base_url)
    print(json.dumps({"stopped": done.stopped, "remaining": done.remaining}))
