"""Scores of options: against enumeration of a made-up model, and through the stub server."""

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.answer.option_scores import AnswerTokens, option_scores
from fmau.core.errors import RecipeError, ServerError
from fmau.recipe import AnswerBlock, load_recipe
from fmau.runs import read_answers
from tests.answer.small_run import answer, questions, recipe
from tests.answer.stub_server import StubServer, token_score

WORDS = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple),
    min_size=1,
    max_size=6,
    unique=True,
)


def logprob(begun: tuple[int, ...], token: int) -> float:
    """A model of four tokens whose probabilities depend on all tokens before."""
    weights = [1 + hash((begun, one)) % 7 for one in range(4)]
    return math.log(weights[token] / sum(weights))


@settings(deadline=None)
@given(WORDS)
def test_scores_are_the_models_probabilities_of_whole_answers(words: list[tuple[int, ...]]) -> None:
    ids = {"".join(map(str, word)): word for word in words}
    texts = {word[:length]: word[:length] for word in words for length in range(1, len(word))}
    tokens = AnswerTokens(ids, texts)  # type: ignore[arg-type] # texts stand for themselves here
    asked: Counter[Any] = Counter()

    async def ask(begun: Any, following: Collection[int]) -> Mapping[int, float]:
        asked[begun] += 1
        return {token: logprob(begun, token) for token in following}

    first = {token: logprob((), token) for token in tokens.firsts(ids)}
    found = asyncio.run(option_scores(tokens, list(ids), first, ask))
    for answer_, word in ids.items():
        # Enumerated: the probability of all sequences of four tokens that begin with the answer.
        total = 0.0
        for rest in itertools.product(range(4), repeat=4 - len(word)):
            sequence = word + rest
            total += math.exp(sum(logprob(sequence[:n], sequence[n]) for n in range(4)))
        assert math.exp(found[answer_]) == pytest.approx(total)
    assert set(asked.values()) <= {1}, "each place is asked about once"


def test_rows_carry_the_scores_of_all_options(tmp_path: Path) -> None:
    asked = questions(3)
    with StubServer() as server:
        summary = answer(recipe(tmp_path, option_scores=True), asked, server.base_url)
    assert summary.statuses == {"ok": 36}
    rows = {row.qid: row for row in read_answers(tmp_path / "runs/run")}
    for question in asked:
        found = rows[question.qid].option_scores
        if question.task.is_open:
            assert found is None
            continue
        assert found is not None
        valid = [option.letter for option in question.options] or ["Yes", "No"]
        for one in valid:
            steps = [(one[:place], ord(one[place])) for place in range(len(one))]
            expected = sum(token_score(question.qid, *step) for step in steps)
            assert found[one] == pytest.approx(expected, abs=1e-6)
        firsts = {one: token_score(question.qid, "", ord(one[0])) for one in valid}
        assert rows[question.qid].answer == max(firsts, key=lambda one: firsts[one])


def test_a_letter_takes_one_request_and_longer_answers_one_for_each_further_place(
    tmp_path: Path,
) -> None:
    with StubServer() as server:
        answer(recipe(tmp_path, option_scores=True), questions(1), server.base_url)
    counts = Counter(a.qid.partition("_")[0] for a in server.questions)
    # "Yes" and "No" are three and two tokens here: Y, Ye and N are asked about too.
    assert counts == {
        "CMAR": 1, "FMAR": 1, "SAD": 8, "MAD": 8, "MAS": 8, "PPR": 8, "MADU": 1, "MARE": 1,
    }  # fmt: skip
    assert sum(a.has_payload for a in server.questions) == 1


def test_a_server_that_reports_no_scores_ends_the_run_at_its_start(tmp_path: Path) -> None:
    with (
        StubServer(scores=False) as server,
        pytest.raises(ServerError, match="reports no log-probabilities of tokens that it is given"),
    ):
        answer(recipe(tmp_path, option_scores=True), questions(1), server.base_url)
    assert read_answers(tmp_path / "runs/run") == []


@pytest.mark.parametrize("other", [{"thinking_tokens": 9}, {"constrain": False}])
def test_scores_need_an_answer_that_is_given_at_once(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="option_scores are those of an answer that is given at"):
        AnswerBlock.model_validate({"option_scores": True} | other)
    with pytest.raises(RecipeError, match="option_scores"):
        load_recipe(
            "zero_shot_tiny",
            ["answer.option_scores=true", *(f"answer.{k}={v}" for k, v in other.items())],
        )
