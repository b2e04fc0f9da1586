"""Thinking on and off: what is asked for, and what is made of the replies."""

import json
from pathlib import Path

import pytest

from fmau.core.errors import RecipeError, ServerError
from fmau.core.records import AnswerStatus
from fmau.recipe import Recipe
from fmau.runs import read_answers, read_manifest
from tests.answer.small_run import answer, expected, model_folder, questions, recipe
from tests.answer.stub_server import THOUGHT, StubServer


def thinking_recipe(folder: Path, model_type: str = "qwen3_5", budget: int = 64) -> Recipe:
    made = recipe(folder, thinking_tokens=budget)
    model = made.model.model_copy(update={"path": str(model_folder(folder / "m", model_type))})
    return made.model_copy(update={"model": model})


def test_without_a_budget_every_request_turns_thinking_off(tmp_path: Path) -> None:
    with StubServer() as server:
        answer(recipe(tmp_path), questions(1), server.base_url)
    assert len(server.asked) == 13  # with the check of the constraint
    assert all(a.body["chat_template_kwargs"] == {"enable_thinking": False} for a in server.asked)
    assert not any("thinking_token_budget" in a.body for a in server.asked)
    run = tmp_path / "runs/run"
    assert "thinking" not in (run / "answers.jsonl").read_text()
    assert "thinking_tokens" not in json.dumps(read_manifest(run).conditions)


def test_with_a_budget_thinking_is_kept_apart_and_accounted_for(tmp_path: Path) -> None:
    asked = questions(3)
    wanted = thinking_recipe(tmp_path)
    with StubServer(model=wanted.model.path) as server:
        summary = answer(wanted, asked, server.base_url)
    run = tmp_path / "runs/run"
    rows = {row.qid: row for row in read_answers(run)}
    right = expected(asked)
    for qid, row in rows.items():
        assert row.thinking is not None
        assert row.thinking.startswith(THOUGHT)
        assert row.thinking_tokens == 7
        assert row.thinking_ran_out is qid.endswith("1")
        if qid.startswith("MADU"):
            assert (row.status, row.answer) == (AnswerStatus.TRUNCATED, None)
            assert row.reason == "the reply ends within its thinking"
        else:
            assert (row.status, row.answer) == right[qid]
    assert summary.thinking_tokens == 7 * 36
    assert summary.thinking_ran_out == sum(q.qid.endswith("1") for q in asked)
    assert "252 of 324 generated tokens are thinking" in summary.text()
    assert read_manifest(run).conditions["thinking_tokens"] == 64


def test_what_is_asked_for_with_a_budget(tmp_path: Path) -> None:
    wanted = thinking_recipe(tmp_path)
    with StubServer(model=wanted.model.path) as server:
        answer(wanted, questions(1), server.base_url)
    for one in server.questions:
        assert one.body["chat_template_kwargs"] == {"enable_thinking": True}
        assert one.body["thinking_token_budget"] == 64
        is_open = one.qid.startswith(("MADU", "MARE"))
        assert one.body["max_tokens"] == 64 + (wanted.answer.max_tokens_open if is_open else 20)
        pattern = one.body.get("structured_outputs", {}).get("regex")
        valid = {"CMAR": "\n\n(A|B|C|D|E|F|G)", "FMAR": "\n\n(A|B|C|D|E)"}
        task = one.qid.partition("_")[0]
        assert pattern == (None if is_open else valid.get(task, "\n\n(Yes|No)"))


def test_judges_see_no_thinking(tmp_path: Path) -> None:
    wanted = thinking_recipe(tmp_path)
    with StubServer(model=wanted.model.path) as server:
        answer(wanted, questions(1), server.base_url)
    rows = read_answers(tmp_path / "runs/run")
    assert all(THOUGHT not in (row.answer or "") + (row.reply or "") for row in rows)


def test_a_server_that_mixes_thinking_into_answers_is_refused(tmp_path: Path) -> None:
    wanted = thinking_recipe(tmp_path)
    with (
        StubServer(model=wanted.model.path, thinks=False) as server,
        pytest.raises(ServerError, match="does not keep thinking apart from the answer"),
    ):
        answer(wanted, questions(1), server.base_url)
    assert read_answers(tmp_path / "runs/run") == []


def test_families_that_do_not_think_are_refused(tmp_path: Path) -> None:
    wanted = thinking_recipe(tmp_path, "qwen3_vl")
    with pytest.raises(RecipeError, match="knows no thinking of Qwen3-VL"):
        answer(wanted, questions(1), "http://127.0.0.1:1")


def test_a_family_that_is_not_known_here_cannot_be_told_to_think(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"the family of stub/model is not known .* download"):
        answer(recipe(tmp_path, thinking_tokens=9), questions(1), "http://127.0.0.1:1")
