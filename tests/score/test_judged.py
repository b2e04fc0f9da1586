"""Levels of the open tasks: medians, failures, intervals, and the official score."""

from statistics import fmean

import numpy as np
import pytest

from fmau.core.records import AnswerStatus, VerdictStatus
from fmau.core.taxonomy import CLOSED_TASKS, OPEN_TASKS, Task
from fmau.score import score
from fmau.score.intervals import clustered_means, percentile_interval
from tests.score.synthetic import (
    gold_answers,
    question_file,
    random_answers,
    verdict,
    verdicts,
    without_answer,
)

LLM = {"llm": False}


def test_gold_answers_and_full_marks_are_100_and_5() -> None:
    questions = question_file(clips=6)
    found = score(questions, gold_answers(questions), verdicts(questions, "llm", lambda *_: 5), LLM)
    assert (found.closed_avg.percent, found.open_avg, found.final) == (100.0, 5.0, 100.0)
    for levels in found.judgements[0].tasks.values():
        assert [level.mean for level in levels] == [5.0] * 3
        assert [level.histogram for level in levels] == [(0, 0, 0, 0, 0, 6)] * 3


def test_final_is_the_mean_of_twelve_sub_scores() -> None:
    questions = question_file(clips=6)
    answers = gold_answers(questions) | {
        qid: row for qid, row in random_answers(questions).items() if not Task(row.task).is_open
    }
    rows = verdicts(questions, "llm", lambda q, level: (level + (q.task is Task.MARE)) % 6)
    found = score(questions, answers, rows, LLM)
    subs = [found.tasks[task].accuracy.percent for task in CLOSED_TASKS]
    subs += [20.0, 40.0, 60.0, 40.0, 60.0, 80.0]
    assert found.final == pytest.approx(sum(subs) / 12)
    assert found.open_avg == pytest.approx((1 + 2 + 3 + 2 + 3 + 4) / 6)
    only_madu = [row for row in rows if row.task == Task.MADU]
    assert score(questions, answers, only_madu, LLM).final is None


def test_an_unscored_answer_is_left_out_and_its_worst_case_reported() -> None:
    questions = question_file(clips=8)
    failing = {q.qid for q in questions.questions if q.task is Task.MADU and int(q.clip[-2:]) < 2}
    rows = verdicts(questions, "llm", lambda q, _: None if q.qid in failing else 4)
    found = score(questions, gold_answers(questions), rows, LLM).judgements[0]
    assert len(found.tasks[Task.MADU]) == 3
    for level in found.tasks[Task.MADU]:
        assert (level.mean, level.scored, level.unscored, level.no_answer) == (4.0, 6, 2, 0)
        assert level.floor == 3.0
    assert found.unscored == {"unparsed": 6}


def test_an_answer_that_was_never_given_counts_as_nothing_said() -> None:
    questions = question_file(clips=4)
    answers = gold_answers(questions)
    silent = next(q for q in questions.questions if q.task is Task.MADU)
    answers[silent.qid] = without_answer(silent, AnswerStatus.REQUEST_FAILED)
    rows = [row for row in verdicts(questions, "llm", lambda *_: 4) if row.qid != silent.qid]
    level = score(questions, answers, rows, LLM).judgements[0].tasks[Task.MADU][0]
    assert (level.mean, level.scored, level.no_answer, level.unscored) == (3.0, 3, 1, 0)
    assert level.histogram == (0, 0, 0, 0, 3, 0)


def test_a_judge_that_scored_nothing_has_no_mean() -> None:
    questions = question_file(clips=4)
    rows = verdicts(questions, "llm", lambda *_: None)
    found = score(questions, gold_answers(questions), rows, LLM)
    assert found.judgements[0].open_avg is None
    assert found.final is None
    assert [level.mean for level in found.judgements[0].tasks[Task.MARE]] == [None] * 3


def test_samples_count_by_their_median_and_their_spread_is_told() -> None:
    questions = question_file(clips=3)
    answers = gold_answers(questions)
    opinions = {0: (5, 1, 2), 1: (0, None, 5), 2: (3, 3, 3)}
    rows = [
        verdict(q, "llm", level, points, sample)
        for q in questions.questions
        if q.task.is_open
        for level in (1, 2, 3)
        for sample, points in enumerate(opinions[int(q.clip[-2:])])
    ]
    level = score(questions, answers, rows, LLM).judgements[0].tasks[Task.MADU][0]
    assert level.mean == pytest.approx(fmean([2, 2.5, 3]))
    assert level.histogram == (0, 0, 2, 1, 0, 0)  # 2.5 is no 3: the rubric says, the lower
    assert level.spread == pytest.approx(fmean([4, 5, 0]))


def test_proxies_come_after_llm_judges_and_have_no_final() -> None:
    questions = question_file(clips=3)
    rows = [
        *verdicts(questions, "rule", lambda *_: 5),
        *verdicts(questions, "llm", lambda *_: 2),
    ]
    found = score(questions, gold_answers(questions), rows, {"rule": True, "llm": False})
    assert [judged.judge for judged in found.judgements] == ["llm", "rule"]
    assert (found.open_avg, found.judgements[1].open_avg) == (2.0, 5.0)
    assert found.judgements[1].final is None


@pytest.mark.slow
def test_intervals_of_means_cover_the_truth_where_naive_ones_do_not() -> None:
    """Three levels of one answer rise and fall together, so clips are what is sampled.

    The mean over six levels of 120 clips; a clip's quality is uniform, each level is it plus noise.
    """
    generator = np.random.default_rng(3)
    trials, clips, levels = 400, 120, 6
    covered = naive = 0
    for _ in range(trials):
        quality_C = generator.uniform(0, 5, size=clips)
        points_CK = np.clip(quality_C[:, None] + generator.normal(0, 0.5, (clips, levels)), 0, 5)
        draws = clustered_means(points_CK, np.ones((clips, levels)), draws=1000)
        interval = percentile_interval(draws.mean(axis=1))
        covered += interval.low <= 2.5 <= interval.high
        half = 1.96 * points_CK.std(ddof=1) / np.sqrt(points_CK.size)
        naive += abs(points_CK.mean() - 2.5) <= half
    assert 0.92 <= covered / trials <= 0.98
    assert naive / trials < 0.75


def test_level_means_agree_with_a_direct_count() -> None:
    questions = question_file(clips=15)
    answers = dict(random_answers(questions))
    points_of: tuple[int | None, ...] = (None, 0, 1, 2, 3, 4, 5)
    rows = verdicts(questions, "llm", lambda q, level: points_of[int(q.qid[-4:]) * level % 7])
    found = score(questions, answers, rows, LLM).judgements[0]
    scored = {(row.qid, row.levels[0]): row.scores[row.levels[0]] for row in rows if row.scores}
    for task in OPEN_TASKS:
        assert [level.level for level in found.tasks[task]] == [1, 2, 3]
        for level in found.tasks[task]:
            points = []
            for q in questions.questions:
                if q.task is not task:
                    continue
                row = answers.get(q.qid)
                if row is None or row.answer is None:
                    points.append(0)
                elif (q.qid, level.level) in scored:
                    points.append(scored[q.qid, level.level])
            assert level.mean == pytest.approx(fmean(points))


def test_a_judge_of_a_few_answers_has_levels_but_no_mean_and_no_final() -> None:
    questions = question_file(clips=6)
    every = verdicts(questions, "llm", lambda *_: 5)
    few = [row for row in every if row.clip == "clip-0000"]
    found = score(questions, gold_answers(questions), few, LLM)
    (judge,) = found.judgements
    assert (found.judge, found.open_avg, found.final) == (None, None, None)
    assert (judge.scored, judge.answers, judge.complete) == (2, 12, False)
    assert judge.coverage == "2 of 12 answers scored"
    assert judge.tasks[Task.MADU][0].mean == 5.0


def test_replies_without_a_score_leave_a_final_that_says_how_many_answers_it_is_of() -> None:
    questions = question_file(clips=6)
    rows = verdicts(questions, "llm", lambda q, _: None if q.clip == "clip-0000" else 4)
    found = score(questions, gold_answers(questions), rows, LLM)
    assert found.judge == "llm"
    assert found.final == pytest.approx((6 * 100 + 6 * 80) / 12)
    assert found.judgements[0].coverage == "10 of 12 answers scored"


def test_a_request_that_failed_is_no_reply() -> None:
    questions = question_file(clips=2)
    rows = verdicts(questions, "llm", lambda *_: 4)
    failed = rows[0].model_copy(
        update={"status": VerdictStatus.REQUEST_FAILED, "scores": None, "reason": "no reply"}
    )
    found = score(questions, gold_answers(questions), [failed, *rows[1:]], LLM)
    assert (found.judge, found.final, found.judgements[0].complete) == (None, None, False)


def test_the_official_judge_is_the_first_complete_llm() -> None:
    questions = question_file(clips=3)
    rows = [
        *verdicts(questions, "broken", lambda *_: 1)[:1],
        *verdicts(questions, "rule", lambda *_: 2),
        *verdicts(questions, "good", lambda *_: 3),
        *verdicts(questions, "other", lambda *_: 4),
    ]
    judges = {"broken": False, "rule": True, "good": False, "other": False}
    found = score(questions, gold_answers(questions), rows, judges)
    assert (found.judge, found.open_avg) == ("good", 3.0)


def test_full_marks_from_every_clip_leave_doubt() -> None:
    questions = question_file(clips=6)
    found = score(questions, gold_answers(questions), verdicts(questions, "llm", lambda *_: 5), LLM)
    low = 5 * 6 / (6 + 1.96**2)  # Wilson's bound of 6 of 6, of level 5
    level = found.judgements[0].tasks[Task.MADU][0]
    assert level.clustered.low == pytest.approx(low, abs=0.001)
    assert level.clustered.high == pytest.approx(5)
