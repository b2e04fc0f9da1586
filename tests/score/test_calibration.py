"""Calibration against sums written out by hand, and against scikit-learn."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from fmau.core.records import Answer, QuestionFile
from fmau.core.taxonomy import Task
from fmau.score import score
from fmau.score.calibration import calibration
from tests.score.synthetic import gold_answers, question_file

QUESTIONS = question_file(clips=10)
YES_NO = tuple(q for q in QUESTIONS.questions if q.task is Task.SAD)


def scored(
    sure: list[float], right: list[bool], outside: float = 0.0
) -> tuple[QuestionFile, dict[str, Answer]]:
    """Yes/no answers of given confidence, some of them right."""
    asked = YES_NO[: len(sure)]
    pairs = zip(asked, right, strict=True)
    gold = {question.qid: "Yes" if hit else "No" for question, hit in pairs}
    file = replace(QUESTIONS, questions=asked, gold=gold)
    rows = gold_answers(replace(file, gold=dict.fromkeys(gold, "Yes")))
    answers = {
        qid: row.model_copy(
            update={
                "option_scores": {
                    "Yes": math.log(share * (1 - outside)),
                    "No": math.log((1 - share) * (1 - outside)),
                }
            }
        )
        for (qid, row), share in zip(rows.items(), sure, strict=True)
    }
    return file, answers


def test_a_case_by_hand() -> None:
    file, answers = scored([0.6, 0.9], [False, True], outside=0.25)
    found = calibration(file, answers)
    assert found is not None
    assert found.questions == 2
    assert found.ece == pytest.approx((60 + 10) / 2)
    # (0.6 - 0)^2 + (0.4 - 1)^2, and (0.9 - 1)^2 + (0.1 - 0)^2
    assert found.brier == pytest.approx((0.72 + 0.02) / 2)
    assert found.right == pytest.approx(90)
    assert found.wrong == pytest.approx(60)
    assert found.outside == pytest.approx(25)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.51, 0.99), st.booleans()), min_size=20, max_size=20))
def test_bins_are_those_of_scikit_learn(cases: list[tuple[float, bool]]) -> None:
    sure, right = [share for share, _ in cases], [hit for _, hit in cases]
    if len(set(sure)) < len(sure):
        return  # equal values at a bin's edge may lie on either side
    found = calibration(*scored(sure, right))
    assert found is not None
    accuracy, confidence = calibration_curve(right, sure, n_bins=10, strategy="quantile")
    if len(accuracy) == len(found.bins):
        np.testing.assert_allclose([one.confidence for one in found.bins], 100 * confidence)
        np.testing.assert_allclose([one.accuracy for one in found.bins], 100 * accuracy)
    assert sum(one.questions for one in found.bins) == 20
    assert found.ece <= 100


def test_a_model_that_knows_what_it_knows_has_no_error() -> None:
    file, answers = scored([0.75] * 20, [True] * 15 + [False] * 5)
    one_bin = calibration(file, answers)
    assert one_bin is not None
    # Within bins of two questions accuracy is 0, 50 or 100 %: chance alone makes an error.
    assert one_bin.ece == pytest.approx((7 * 25 + 25 + 2 * 75) / 10)


def test_runs_without_scores_have_no_calibration() -> None:
    assert score(QUESTIONS, gold_answers(QUESTIONS)).calibration is None
    file, answers = scored([0.6, 0.9], [False, True])
    assert score(file, answers).calibration == calibration(file, answers)
