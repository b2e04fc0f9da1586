"""Scores of options through the real server, against Transformers on the same weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fmau.answer import answer_questions
from fmau.core.records import Answer
from fmau.dataset.questions import load_questions
from fmau.demo.tiny import CHECKPOINT
from fmau.families.load import load_encoder, load_model
from fmau.frames.clip import read_clip
from fmau.prompting.conversation import VIDEO_PART, messages
from fmau.prompting.extraction import choices
from fmau.recipe import Recipe
from fmau.runs import open_run, read_answers
from fmau.serve import start_server
from fmau.serve.client import Endpoint
from tests.clips import write_clip
from tests.families.checkpoints import qwen3_5
from tests.integration.tiny_served import PROMPTS, SIZE, log_probabilities, tiny_recipe
from tests.question_rows import question_rows
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]

CLIPS = ("nod", "wave", "lean", "rest", "turn")


def write_data(folder: Path) -> None:
    """Five clips, the official questions about them, and one of one's own about each."""
    (folder / "clips").mkdir()
    rows: list[dict[str, Any]] = []
    for number, clip in enumerate(CLIPS):
        write_clip(folder / "clips" / f"{clip}.mp4", 30 + 7 * number, **SIZE)
        rows += [row | {"qid": f"{row['qid']}_{clip}"} for row in question_rows(clip)]
        lines = "\n".join(f"{letter}) option {letter}" for letter in "ABCDEFGHIJ")
        rows.append(
            {
                "video": f"{clip}.mp4",
                "task": "Gaze",
                "type": "choice",
                "qid": f"gaze_{clip}",
                "question": f"Where does the person look?\n{lines}",
            }
        )
    (folder / "questions.json").write_text(json.dumps(rows))


def run(recipe: Recipe, endpoint: Endpoint, *, scores: bool) -> dict[str, Answer]:
    """Answer all questions in a run of its own."""
    answer = recipe.answer.model_copy(update={"option_scores": scores})
    named = recipe.model_copy(update={"name": f"scores_{scores}", "answer": answer})
    questions = load_questions(named.data.questions).questions
    with open_run(named, PROMPTS) as opened:
        answer_questions(opened, named, PROMPTS, questions, endpoint, progress=False)
    return {row.qid: row for row in read_answers(named.run_folder)}


@pytest.mark.parametrize(
    ("family", "dtype", "close", "every"),
    # Transformers computes linear attention on a CPU so slowly that a few questions must do.
    [("qwen3_vl", "float32", 1e-3, 1), ("qwen3_5", "bfloat16", 5e-2, 14)],
)
def test_scores_are_those_of_transformers(
    tmp_path: Path, family: str, dtype: str, close: float, every: int
) -> None:
    write_data(tmp_path)
    model_path = CHECKPOINT if family == "qwen3_vl" else qwen3_5(tmp_path / "model")
    recipe = tiny_recipe(
        tmp_path,
        model__path=model_path,
        model__dtype=dtype,
        data__questions=tmp_path / "questions.json",
        data__clips=tmp_path / "clips",
        answer__max_tokens_open=4,
        serve__port=free_port(8450),
    )
    log = tmp_path / "server.log"
    with start_server(recipe, log_path=log) as server:
        server.wait_ready()
        endpoint = Endpoint(server.base_url, None, (server.base_url,), (log,))
        scored = run(recipe, endpoint, scores=True)
        plain = run(recipe, endpoint, scores=False)
    for qid, row in scored.items():
        ranked = row.option_scores or {}
        assert row.answer == max(ranked, key=ranked.__getitem__, default=None)
        # Without scores, any beginning of an answer is allowed: a random model may begin with the
        # "N" of "No" where "Yes" is likelier than the whole "No". Qwen3-VL's has learnt to write.
        spelt = family == "qwen3_vl" or plain[qid].reply == plain[qid].answer
        assert row.answer == plain[qid].answer or not spelt

    encoder = load_encoder(recipe.model)
    model = load_model(str(model_path), None, getattr(torch, dtype)).eval()
    asked = load_questions(recipe.data.questions).questions
    closed = [question for question in asked if choices(question)]
    assert len(closed) == 11 * len(CLIPS)
    worst = 0.0
    for question in closed[::every]:
        frames = read_clip(recipe.data.clips / f"{question.clip}.mp4", recipe.frames)
        inputs = encoder.encode(messages(question, PROMPTS, VIDEO_PART), frames)
        scores = scored[question.qid].option_scores
        assert scores is not None
        assert scores.keys() == set(choices(question))
        for answer, score in scores.items():
            ids = encoder.tokens(answer)
            expected = log_probabilities(model, inputs, ids)
            whole = expected.gather(1, torch.tensor(ids)[:, None]).sum()
            worst = max(worst, abs(float(whole) - score))
    print(f"{family}: {len(closed[::every])} questions, scores at most {worst:.1e} apart")
    assert worst <= close
