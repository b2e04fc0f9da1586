"""A hybrid model that thinks, Qwen3.5, through the real server: reuse, thinking on and off.

One server that can think answers everything here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fmau.answer import Summary, answer_questions
from fmau.core.records import Answer, AnswerStatus
from fmau.dataset.questions import load_questions
from fmau.demo.mini.write import write_mini
from fmau.families.qwen3_5 import Qwen3_5
from fmau.prompting.extraction import choices
from fmau.recipe import Recipe
from fmau.runs import open_run, read_answers
from fmau.serve import start_server
from fmau.serve.client import Endpoint
from tests.families.checkpoints import qwen3_5
from tests.integration.tiny_served import PROMPTS, tiny_recipe
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]

CLIPS = 20
BUDGET = 24


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Endpoint, int]]:
    """A folder with checkpoint and benchmark, and a server for them."""
    folder = tmp_path_factory.mktemp("hybrid")
    qwen3_5(folder / "model")
    write_mini(folder / "mini", clips=CLIPS, train_clips=0, seed=0)
    port = free_port(8400)
    recipe = hybrid_recipe(folder, "server", port, answer__thinking_tokens=BUDGET)
    log = folder / "server.log"
    with start_server(recipe, log_path=log) as server:
        server.wait_ready()
        yield folder, Endpoint(server.base_url, None, (server.base_url,), (log,)), port


def hybrid_recipe(folder: Path, name: str, port: int, **values: Any) -> Recipe:
    return tiny_recipe(
        folder,
        name=name,
        model__path=folder / "model",
        model__dtype="bfloat16",
        data__questions=folder / "mini/questions.json",
        data__clips=folder / "mini/clips",
        answer__max_tokens_open=16,
        serve__port=port,
        **values,
    )


def answered(
    served: tuple[Path, Endpoint, int], name: str, **values: Any
) -> tuple[Summary, list[Answer]]:
    folder, endpoint, port = served
    recipe = hybrid_recipe(folder, name, port, **values)
    questions = load_questions(recipe.data.questions).questions
    assert len(questions) == 12 * CLIPS
    with open_run(recipe, PROMPTS) as run:
        summary = answer_questions(run, recipe, PROMPTS, questions, endpoint, progress=False)
    return summary, read_answers(recipe.run_folder)


def test_every_clip_is_computed_once_and_without_priming_it_is_not(
    served: tuple[Path, Endpoint, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, rows = answered(served, "primed")
    report = summary.cache_report
    assert {row.status for row in rows} <= {AnswerStatus.OK, AnswerStatus.TRUNCATED}
    assert report.followers_reused == report.followers == 12 * CLIPS
    assert report.encoder_runs == CLIPS
    assert report.shares()["tokens"] >= 0.95

    monkeypatch.setattr(Qwen3_5, "hybrid", False)
    # One more token in the open answers makes it another run; the other clips' states are cached.
    unprimed, _ = answered(served, "unprimed", frames__jpeg_quality=94)
    assert unprimed.cache_report.computed_tokens > 2 * report.computed_tokens
    print(f"primed {report.text()}; unprimed {unprimed.cache_report.text()}")


def test_thinking_comes_before_the_answer_and_stays_out_of_it(
    served: tuple[Path, Endpoint, int],
) -> None:
    summary, rows = answered(served, "thinking", answer__thinking_tokens=BUDGET)
    questions = {q.qid: q for q in load_questions(served[0] / "mini/questions.json").questions}
    answered_closed = 0
    for row in rows:
        assert row.thinking
        assert row.thinking_tokens is not None
        assert row.thinking_tokens <= BUDGET + 12, "the words that end it come on top"
        if row.answer is None:  # random weights end their turn anywhere
            assert row.status is AnswerStatus.TRUNCATED
            continue
        if valid := choices(questions[row.qid]):
            answered_closed += 1
            assert row.answer in valid
            assert row.reply == f"\n\n{row.answer}"
    assert answered_closed >= 5 * CLIPS
    assert summary.thinking_tokens == sum(row.thinking_tokens or 0 for row in rows)
    assert summary.cache_report.shares()["tokens"] >= 0.95


def test_without_a_budget_nothing_is_thought(served: tuple[Path, Endpoint, int]) -> None:
    _, rows = answered(served, "not_thinking")
    assert all(row.thinking is None for row in rows)
    closed = [row for row in rows if row.task not in ("MADU", "MARE")]
    assert all(row.completion_tokens == 1 for row in closed)
