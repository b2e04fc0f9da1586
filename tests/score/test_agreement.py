"""Agreement of judges against closed forms."""

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.errors import FmauError
from fmau.score import score
from fmau.score.agreement import judge_agreement, ordinal_alpha
from tests.score.synthetic import gold_answers, question_file, verdicts


def test_kappa_and_alpha_are_the_closed_forms() -> None:
    generator = np.random.default_rng(0)
    first = generator.integers(0, 6, 300)
    second = np.clip(first + generator.integers(-1, 2, 300), 0, 5)
    found = judge_agreement(
        "one",
        {f"q{n}": {1: float(score)} for n, score in enumerate(first)},
        "other",
        {f"q{n}": {1: float(score)} for n, score in enumerate(second)},
    )
    observed = ((first - second) ** 2).mean()
    chance = ((first[:, None] - second[None, :]) ** 2).mean()
    assert found.kappa == pytest.approx(1 - observed / chance)
    assert found.interval.low < found.kappa < found.interval.high
    alpha = krippendorff.alpha(np.array([first, second]), level_of_measurement="ordinal")
    assert found.alpha == pytest.approx(alpha)
    assert found.exact == pytest.approx((first == second).mean())
    assert found.within_one == 1.0
    assert found.bias == pytest.approx((second - first).mean())


@given(scores=st.lists(st.tuples(*[st.integers(0, 10)] * 2), min_size=2, max_size=40))
def test_alpha_is_that_of_another_implementation(scores: list[tuple[int, int]]) -> None:
    scores_PS = np.array(scores) / 2
    if len(np.unique(scores_PS)) > 1:
        theirs = krippendorff.alpha(scores_PS.T, level_of_measurement="ordinal")
        assert ordinal_alpha(scores_PS) == pytest.approx(theirs)


def test_alpha_by_hand() -> None:
    """Scores 1, 1, 2, 2 against 1, 2, 2, 2: middle ranks 1.5 and 5.5, one pair of four apart.

    Observed 4^2 / 4; expected 2 x 3 x 5 x 4^2 / (8 x 7).
    """
    scores_PS = np.array([[1, 1], [1, 2], [2, 2], [2, 2]])
    assert ordinal_alpha(scores_PS) == pytest.approx(1 - (1 / 4) / (30 / 56))


def test_judges_without_a_common_answer_cannot_be_compared() -> None:
    with pytest.raises(FmauError, match="x and y have no scored answer in common"):
        judge_agreement("x", {"a": {1: 5.0}}, "y", {"a": {1: None}, "b": {1: 5.0}})


def test_scores_hold_every_pair_of_judges_that_scored_the_same_answers() -> None:
    questions = question_file(clips=4)
    rows = [
        *verdicts(questions, "llm", lambda q, level: level),
        *verdicts(questions, "rule", lambda q, level: level + 1),
        *verdicts(questions, "broken", lambda q, level: None),
    ]
    judges = {"rule": True, "llm": False, "broken": False}
    found = score(questions, gold_answers(questions), rows, judges).agreements
    assert [(pair.first, pair.second) for pair in found] == [("llm", "rule")]
    assert found[0].pairs == 4 * 2 * 3
    assert (found[0].exact, found[0].within_one, found[0].bias) == (0.0, 1.0, 1.0)
