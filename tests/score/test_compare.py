"""Paired comparisons against hand-computed p values, simulated nulls and simulated power."""

import math

import numpy as np
import pytest

from fmau.core.errors import RunError
from fmau.core.records import Question, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.score import score
from fmau.score.compare import Comparison, Difference, _sign_flips, compare
from tests.score.synthetic import gold_answers, ok, question_file, random_answers, verdicts

QUESTIONS = question_file(clips=60)


def named(comparison: Comparison) -> dict[str, Difference]:
    return {item.name: item for item in comparison.differences}


def wrong(question: Question) -> str:
    letters = [option.letter for option in question.options] or ["Yes", "No"]
    return next(answer for answer in letters if answer != QUESTIONS.gold[question.qid])


def test_values_are_those_of_the_scores() -> None:
    first, second = random_answers(QUESTIONS, 1), random_answers(QUESTIONS, 2)
    found = named(compare(QUESTIONS, first, second))
    for answers, side in ((first, "first"), (second, "second")):
        scores = score(QUESTIONS, answers)
        for task in CLOSED_TASKS:
            accuracy = scores.tasks[task].accuracy.percent
            assert getattr(found[str(task)], side) == pytest.approx(accuracy)
        assert getattr(found["Closed-AVG"], side) == pytest.approx(scores.closed_avg.percent)
        assert getattr(found["FMAR by label"], side) == pytest.approx(scores.fmar.by_label.percent)


def test_equal_answers_differ_in_nothing() -> None:
    answers = random_answers(QUESTIONS)
    found = compare(QUESTIONS, answers, answers).differences
    assert {item.name for item in found} >= {*map(str, CLOSED_TASKS), "Closed-AVG"}
    for item in found:
        assert (item.difference, item.p) == (0.0, 1.0)
        assert (item.interval.low, item.interval.high, item.smallest) == (0.0, 0.0, 0.0)


def test_mcnemar_by_hand() -> None:
    """9 answers got better and 1 worse: p = 2 (C(10,0) + C(10,1)) / 2^10."""
    first, second = gold_answers(QUESTIONS), gold_answers(QUESTIONS)
    cmar = [q for q in QUESTIONS.questions if q.task is Task.CMAR]
    for question in cmar[:9]:
        first[question.qid] = ok(question, wrong(question))
    second[cmar[9].qid] = ok(cmar[9], wrong(cmar[9]))
    found = named(compare(QUESTIONS, first, second))["CMAR"]
    assert (found.test, found.gained, found.lost) == ("McNemar exact", 9, 1)
    assert found.p == pytest.approx(2 * (1 + 10) / 2**10)
    assert found.difference == pytest.approx(100 * 8 / 60)


def test_holm_by_hand() -> None:
    found = compare(QUESTIONS, random_answers(QUESTIONS, 1), random_answers(QUESTIONS, 2))
    tasks = [item for item in found.differences if item.p_holm is not None]
    assert [item.name for item in tasks] == [str(task) for task in CLOSED_TASKS]
    ranked = sorted((item.p, item.p_holm) for item in tasks if item.p is not None)
    assert len(ranked) == 6
    least = 0.0
    for place, (p, p_holm) in enumerate(ranked):
        least = max(least, min(1.0, p * (len(ranked) - place)))
        assert p_holm == pytest.approx(least)


def test_sign_flips_agree_with_all_flips_counted() -> None:
    change_C = np.array([1.0, 2.0, -1.0, 3.0, 0.5, 0.0])
    changed = change_C[change_C != 0]
    sums = [
        sum(value if mask >> place & 1 else -value for place, value in enumerate(changed))
        for mask in range(2 ** len(changed))
    ]
    exact = np.mean([abs(total) >= abs(changed.sum()) - 1e-9 for total in sums])
    assert _sign_flips(change_C) == pytest.approx(exact, abs=0.02)


def test_one_changed_clip_shows_nothing() -> None:
    """Of two sign flips of one difference both are as extreme: p = 2 / 2."""
    first, second = gold_answers(QUESTIONS), gold_answers(QUESTIONS)
    changed = next(q for q in QUESTIONS.questions if q.task is Task.SAD)
    second[changed.qid] = ok(changed, wrong(changed))
    found = named(compare(QUESTIONS, first, second))["SAD"]
    assert (found.test, found.gained, found.lost) == ("sign flips over clips", 0, 1)
    assert found.p == 1.0


@pytest.mark.slow
def test_p_values_are_uniform_where_nothing_differs() -> None:
    generator = np.random.default_rng(5)
    p = [_sign_flips(generator.normal(size=40)) for _ in range(300)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.09)


@pytest.mark.slow
def test_the_smallest_difference_is_found_in_four_of_five_samples() -> None:
    """The bootstrap's standard error times 2.8, as a true shift, against the test's own power."""
    generator = np.random.default_rng(6)
    clips, spread = 150, 1.0
    factor = 1.959964 + 0.841621
    smallest = factor * spread / math.sqrt(clips)
    found = [
        _sign_flips(generator.normal(smallest, spread, size=clips)) <= 0.05 for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(0.80, abs=0.07)


def test_smallest_is_2_8_standard_errors_of_the_difference() -> None:
    first, second = random_answers(QUESTIONS, 1), random_answers(QUESTIONS, 2)
    found = named(compare(QUESTIONS, first, second))["CMAR"]
    cmar = [q for q in QUESTIONS.questions if q.task is Task.CMAR]
    change = [
        float(second[q.qid].answer == QUESTIONS.gold[q.qid] if q.qid in second else False)
        - float(first[q.qid].answer == QUESTIONS.gold[q.qid] if q.qid in first else False)
        for q in cmar
    ]
    error = 100 * np.std(change) / math.sqrt(len(change))
    assert found.smallest == pytest.approx(2.8016 * error, rel=0.05)


def test_levels_are_compared_where_both_are_scored_and_a_proxy_has_no_final() -> None:
    answers = gold_answers(QUESTIONS)
    first = verdicts(QUESTIONS, "llm", lambda q, _: None if int(q.clip[-2:]) < 10 else 2)
    second = verdicts(QUESTIONS, "llm", lambda q, level: 2 + (level == 1))
    found = named(compare(QUESTIONS, answers, answers, verdicts=(first, second), judge="llm"))
    assert found["MADU L1"].first == pytest.approx(2.0)
    assert found["MADU L1"].second == pytest.approx(3.0)
    assert (found["MADU L1"].gained, found["MADU L1"].lost) == (50, 0)
    assert found["MARE L2"].difference == 0.0
    assert found["Open-AVG"].difference == pytest.approx(1 / 3)
    assert found["Final"].difference == pytest.approx(2 * 20 / 12)
    proxied = compare(
        QUESTIONS, answers, answers, verdicts=(first, second), judge="x", judge_is_proxy=True
    )
    assert "Final" not in named(proxied)


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(RunError, match="no question compared here has a gold answer"):
        compare(QuestionFile(QUESTIONS.questions), {}, {})
