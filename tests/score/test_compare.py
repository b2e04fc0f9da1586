"""Paired comparisons against hand-computed p values, simulated nulls and simulated power."""

import math
from collections.abc import Mapping
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.core.errors import RunError
from fmau.core.records import Answer, AnswerStatus, Question, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.score import score
from fmau.score.compare import compare
from fmau.score.comparison import Comparison, Difference
from fmau.score.paired import sign_flips_p
from tests.score.synthetic import (
    gold_answers,
    ok,
    question_file,
    random_answers,
    verdicts,
    without_answer,
)

QUESTIONS = question_file(clips=60)


def named(comparison: Comparison) -> dict[str, Difference]:
    return {item.name: item for item in comparison.differences}


def wrong(question: Question) -> str:
    letters = [option.letter for option in question.options] or ["Yes", "No"]
    return next(answer for answer in letters if answer != QUESTIONS.gold[question.qid])


def shared(
    first: Mapping[str, Answer], second: Mapping[str, Answer]
) -> tuple[dict[str, Answer], dict[str, Answer], QuestionFile]:
    """The rows of the questions that both reply to, right or wrong, and these questions."""
    final = {AnswerStatus.OK, AnswerStatus.UNPARSED, AnswerStatus.TRUNCATED}
    qids = [
        q.qid
        for q in QUESTIONS.questions
        if all(q.qid in rows and rows[q.qid].status in final for rows in (first, second))
    ]
    kept = tuple(q for q in QUESTIONS.questions if q.qid in qids)
    return (
        {qid: first[qid] for qid in qids},
        {qid: second[qid] for qid in qids},
        QuestionFile(kept, QUESTIONS.gold),
    )


def test_values_are_those_of_the_scores_of_the_questions_that_both_answer() -> None:
    first, second = random_answers(QUESTIONS, 1), random_answers(QUESTIONS, 2)
    found = named(compare(QUESTIONS, first, second))
    first, second, questions = shared(first, second)
    for answers, side in ((first, "first"), (second, "second")):
        scores = score(questions, answers)
        for task in CLOSED_TASKS:
            accuracy = scores.tasks[task].accuracy.percent
            assert getattr(found[str(task)], side) == pytest.approx(accuracy)
        assert getattr(found["Closed-AVG"], side) == pytest.approx(scores.closed_avg.percent)
        assert getattr(found["FMAR by label"], side) == pytest.approx(scores.fmar.by_label.percent)


def test_equal_answers_differ_in_nothing() -> None:
    answers = gold_answers(QUESTIONS)
    found = compare(QUESTIONS, answers, answers).differences
    assert {item.name for item in found} >= {*map(str, CLOSED_TASKS), "Closed-AVG"}
    for item in found:
        assert (item.difference, item.p) == (0.0, 1.0)
        # 60 clips without a change: at most 6 % of others change (Wilson), so at most 6 points.
        assert item.interval.high == pytest.approx(100 * 1.96**2 / (60 + 1.96**2), abs=0.01)
        assert (item.interval.low, item.smallest) == (-item.interval.high, None)


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
    assert sign_flips_p(change_C) == pytest.approx(exact, abs=0.02)


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
    p = [sign_flips_p(generator.normal(size=40)) for _ in range(300)]
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
        sign_flips_p(generator.normal(smallest, spread, size=clips)) <= 0.05 for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(0.80, abs=0.07)


def test_smallest_is_2_8_standard_errors_of_the_difference() -> None:
    first, second = random_answers(QUESTIONS, 1), random_answers(QUESTIONS, 2)
    found = named(compare(QUESTIONS, first, second))["CMAR"]
    first, second, questions = shared(first, second)
    change = [
        float(second[q.qid].answer == QUESTIONS.gold[q.qid])
        - float(first[q.qid].answer == QUESTIONS.gold[q.qid])
        for q in questions.questions
        if q.task is Task.CMAR
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


def test_answers_that_are_missing_are_no_difference() -> None:
    """Half of a run, all of it right, against a whole run with the same answers."""
    whole = gold_answers(QUESTIONS)
    half = dict(list(whole.items())[: len(whole) // 2])
    lost = next(iter(half))
    question = next(q for q in QUESTIONS.questions if q.qid == lost)
    half[lost] = without_answer(question, AnswerStatus.CLIP_FAILED)
    found = compare(QUESTIONS, whole, half, names=("whole", "half"))
    assert all(item.difference == 0 and item.p == 1 for item in found.differences)
    closed = [q for q in QUESTIONS.questions if not q.task.is_open]
    answered = sum(q.qid in half for q in closed) - (not question.task.is_open)
    assert (found.asked, found.compared) == (len(closed), answered)
    assert found.missing == (0, len(closed) - answered)
    assert found.notes == [
        f"half has no answer to {len(closed) - answered} of 600 questions (not asked yet, or the "
        "clip or the request failed)",
        f"only the {answered} questions that both answer are compared",
    ]


def test_an_answer_that_cannot_be_read_is_wrong() -> None:
    whole = gold_answers(QUESTIONS)
    unread = {
        q.qid: without_answer(q, AnswerStatus.UNPARSED) if q.task is Task.CMAR else whole[q.qid]
        for q in QUESTIONS.questions
    }
    assert named(compare(QUESTIONS, whole, unread))["CMAR"].difference == -100


def test_the_verdict_is_one_sentence() -> None:
    good = gold_answers(QUESTIONS)
    bad = {
        q.qid: good[q.qid] if q.task.is_open or q.task is Task.SAD else ok(q, wrong(q))
        for q in QUESTIONS.questions
    }
    names = ("old", "new")
    assert compare(QUESTIONS, good, bad, names=names).verdict == (
        "new is worse than old: Closed-AVG -83.33, p <0.001; told apart alone: CMAR -100.00, FMAR "
        "-100.00, MAD -100.00, MAS -100.00, PPR -100.00"
    )
    assert compare(QUESTIONS, bad, good, names=names).verdict.startswith("new is better than old")
    assert compare(QUESTIONS, good, good, names=names).verdict == (
        "new and old are not told apart: Closed-AVG +0.00, p 1.000; no task alone is told apart"
    )


CHANGES = (-1.0, 0.0, 1.0)


@pytest.mark.parametrize("clips", range(1, 6))
def test_every_small_pattern_of_changes_has_the_p_value_of_all_flips_counted(clips: int) -> None:
    for change in product(CHANGES, repeat=clips):
        flips = [
            abs(sum(sign * one for sign, one in zip(signs, change, strict=True)))
            for signs in product((-1, 1), repeat=clips)
        ]
        expected = np.mean([total >= abs(sum(change)) for total in flips])
        assert sign_flips_p(np.array(change)) == pytest.approx(expected), change


FEW = question_file(clips=3)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_few_changes_can_be_compared(data: st.DataObject) -> None:
    """What changes, in whatever direction, and what is missing: always numbers that make sense."""
    first, second = gold_answers(FEW), gold_answers(FEW)
    for rows in (first, second):
        for question in data.draw(st.lists(st.sampled_from(FEW.questions), max_size=4)):
            if question.task.is_open or data.draw(st.booleans()):
                rows.pop(question.qid, None)
            elif question.qid in rows:
                rows[question.qid] = without_answer(question, AnswerStatus.UNPARSED)
    found = compare(FEW, first, second)
    for item in found.differences:
        assert item.difference == pytest.approx(item.second - item.first)
        if item.interval is not None:
            assert 0 < item.p <= 1
            assert -100 <= item.interval.low <= item.interval.high <= 100
            assert item.interval.low < item.interval.high
            assert item.interval.low - 1e-9 <= item.difference <= item.interval.high + 1e-9
    assert found.compared + max(found.missing) <= found.asked


def test_levels_of_a_judge_that_is_not_complete_have_no_mean() -> None:
    answers = gold_answers(QUESTIONS)
    few = [row for row in verdicts(QUESTIONS, "llm", lambda q, _: 3) if row.clip == "clip-0007"]
    found = compare(
        QUESTIONS, answers, answers, verdicts=(few, few), judge="llm", judge_is_complete=False
    )
    assert not {"Open-AVG", "Final"} & named(found).keys()
    assert "MADU L1" in named(found)
    opens = sum(q.task.is_open for q in QUESTIONS.questions)
    scored = len({row.qid for row in few})
    assert found.unscored == opens - scored
    assert found.notes == [
        f"llm has not scored {opens - scored} open answers in both; the levels leave them out"
    ]


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(RunError, match="no question has an answer in both a and b"):
        compare(QUESTIONS, gold_answers(QUESTIONS), {}, names=("a", "b"))
    with pytest.raises(RunError, match="no question compared here has a gold answer"):
        compare(QuestionFile(QUESTIONS.questions), {}, {})


def test_flips_whose_sums_tie_count_as_ties() -> None:
    """The observed sum is 0, so every flip is as extreme, though floats give it as 6e-17."""
    change_C = np.array([0.1, 0.2, -0.3] * 8 + [0.7, -0.7])
    for seed in range(20):
        shuffled = np.random.default_rng(seed).permutation(change_C)
        assert sign_flips_p(shuffled) == 1.0
