"""Accuracies against an independent count, and what must never happen to failures."""

import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.core.errors import InputError
from fmau.core.records import AnswerStatus, Option, Question, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.dataset.questions import load_questions
from fmau.score import Scores, score
from fmau.score.compute import benchmark_of
from tests.paths import ALL_12000, SAMPLE_60
from tests.score.synthetic import (
    gold_answers,
    ok,
    question_file,
    random_answers,
    without_answer,
)


def test_gold_answers_score_exactly_100() -> None:
    questions = question_file(clips=7)
    scores = score(questions, gold_answers(questions))
    assert [scores.tasks[task].accuracy.percent for task in CLOSED_TASKS] == [100.0] * 6
    assert scores.closed_avg.percent == 100.0
    assert scores.fmar.by_label.percent == 100.0


@pytest.mark.skipif(not SAMPLE_60.exists(), reason="needs the MA-Bench sample")
def test_gold_answers_of_the_sample_score_exactly_100() -> None:
    questions = load_questions(SAMPLE_60)
    scores = score(questions, gold_answers(questions))
    for task in CLOSED_TASKS:
        assert scores.tasks[task].accuracy.percent == 100.0
        assert scores.tasks[task].with_gold == 60 * task.per_clip
    assert scores.benchmark == "other"  # a part of MA-Bench is not comparable with the whole


@pytest.mark.skipif(not ALL_12000.exists(), reason="needs the MA-Bench questions")
def test_the_whole_of_ma_bench_is_recognised_and_has_no_gold() -> None:
    questions = load_questions(ALL_12000)
    scores = score(questions, {})
    assert scores.benchmark == "MA-Bench"
    assert scores.closed_avg is None
    assert all(task.accuracy is None for task in scores.tasks.values())
    assert benchmark_of(questions.questions[:-1]) == "other"


def test_a_mini_benchmark_of_the_same_size_is_not_ma_bench() -> None:
    assert benchmark_of(question_file(clips=1000).questions) == "other"


def test_agrees_with_a_count_in_pandas() -> None:
    questions = question_file(clips=40)
    answers = random_answers(questions)
    scores = score(questions, answers)
    table = pd.DataFrame(
        {
            "task": str(q.task),
            "status": str(answers[q.qid].status) if q.qid in answers else "missing",
            "right": q.qid in answers and answers[q.qid].answer == questions.gold[q.qid],
        }
        for q in questions.questions
    )
    percents = 100 * table.groupby("task")["right"].mean()
    answered = 100 * table[table["status"] == "ok"].groupby("task")["right"].mean()
    for task in CLOSED_TASKS:
        found = scores.tasks[task]
        assert found.accuracy.percent == pytest.approx(percents[task])
        assert found.answered_percent == pytest.approx(answered[task])
        ended = table[table["task"] == task]["status"].value_counts()
        assert found.answered == ended["ok"]
        assert found.unparsed == ended.get("unparsed", 0)
        assert found.truncated == ended.get("truncated", 0)
        assert found.clip_failed == ended.get("clip_failed", 0)
        assert found.request_failed == ended.get("request_failed", 0)
        assert found.unanswered == ended["missing"]
    closed = percents[[str(task) for task in CLOSED_TASKS]]
    assert scores.closed_avg.percent == pytest.approx(closed.mean())


def test_failures_are_counted_apart_and_are_not_right() -> None:
    questions = question_file(clips=3)
    answers = gold_answers(questions)
    sad = [q for q in questions.questions if q.task is Task.SAD]
    for q, status in zip(sad, list(AnswerStatus)[1:], strict=False):
        answers[q.qid] = without_answer(q, status)
    del answers[sad[4].qid]
    found = score(questions, answers).tasks[Task.SAD]
    counts = (found.unparsed, found.truncated, found.clip_failed, found.request_failed)
    assert counts == (1, 1, 1, 1)
    assert (found.asked, found.answered, found.unanswered, found.failed) == (6, 1, 1, 2)
    assert found.accuracy.percent == pytest.approx(100 / 6)
    assert found.answered_percent == 100.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_leaving_a_question_out_never_helps_and_order_never_matters(
    seed: int, data: st.DataObject
) -> None:
    questions = question_file(clips=4, seed=seed)
    answers = dict(random_answers(questions, seed))
    before = score(questions, answers)
    shuffled = list(questions.questions)
    random.Random(seed).shuffle(shuffled)
    assert score(QuestionFile(tuple(shuffled), questions.gold), answers) == before
    del answers[data.draw(st.sampled_from(sorted(answers)))]
    after = score(questions, answers)
    for task in CLOSED_TASKS:
        assert after.tasks[task].accuracy.percent <= before.tasks[task].accuracy.percent


def test_a_task_without_gold_is_not_available_rather_than_zero() -> None:
    questions = question_file(clips=3)
    gold = {qid: answer for qid, answer in questions.gold.items() if not qid.startswith("PPR")}
    answers = gold_answers(questions)
    scores = score(QuestionFile(questions.questions, gold), answers)
    assert scores.tasks[Task.PPR].accuracy is None
    assert scores.tasks[Task.PPR].majority is None
    assert scores.tasks[Task.PPR].answered == 6
    assert scores.tasks[Task.SAD].accuracy.percent == 100.0
    assert (scores.closed_avg, scores.majority_avg, scores.final) == (None, None, None)


def test_only_questions_with_gold_are_in_the_denominator() -> None:
    questions = question_file(clips=5)
    some = [q.qid for q in questions.questions if q.task is Task.MAS][:3]
    gold = {qid: questions.gold[qid] for qid in some}
    found = score(QuestionFile(questions.questions, gold), gold_answers(questions)).tasks[Task.MAS]
    assert (found.asked, found.answered, found.with_gold) == (10, 10, 3)
    assert (found.accuracy.total, found.accuracy.percent, found.answered_percent) == (3, 100, 100)


def test_no_questions_with_gold_at_all() -> None:
    questions = question_file(clips=2)
    scores = score(QuestionFile(questions.questions), gold_answers(questions))
    assert scores.with_gold == 0
    assert scores.cmar_confusion is None
    assert scores.fmar is None


def test_a_duplicate_fmar_label_counts_by_label_alone() -> None:
    options = tuple(map(Option, "ABCDE", ["Nodding", "Turning around", "Nodding", "Tic", "Rub"]))
    question = Question("FMAR_1", "clip", Task.FMAR, "Which?", options)
    questions = QuestionFile((question,), {"FMAR_1": "A"})
    scores = score(questions, {"FMAR_1": ok(question, "C")})
    assert scores.tasks[Task.FMAR].accuracy.correct == 0
    assert scores.fmar.by_label.correct == 1
    assert scores.fmar.by_label.clustered is None  # one clip says nothing about others


def test_answers_that_do_not_fit_the_questions_are_refused() -> None:
    questions = question_file(clips=1)
    answers = gold_answers(questions)
    sad = next(q for q in questions.questions if q.task is Task.SAD)
    mad = next(q for q in questions.questions if q.task is Task.MAD)
    answers[sad.qid] = ok(sad, "yes")
    answers[mad.qid] = answers[mad.qid].model_copy(update={"answer": None})
    answers["NEW_1"] = ok(sad, "Yes")
    with pytest.raises(InputError) as caught:
        score(questions, answers)
    assert {problem.where for problem in caught.value.problems} == {sad.qid, mad.qid, "NEW_1"}


def test_scores_survive_their_json() -> None:
    questions = question_file(clips=3)
    scores = score(questions, random_answers(questions))
    assert Scores.model_validate_json(scores.model_dump_json()) == scores
