"""Rows are scored, judged and submitted only if they answer the questions as they are now."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fmau.core.errors import InputError, RunError
from fmau.core.records import Answer, AnswerStatus
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.judge.session import judge_run
from fmau.report import write_report
from fmau.report.tables import COUNT_COLUMNS, count_table
from fmau.runs import RowFile, row_mark
from fmau.score import compare_runs, score, score_run
from fmau.score.joined import read_joined
from fmau.score.submission import submit_run
from tests.report.runs import marked, write_run
from tests.score.synthetic import gold_answers, ok, question_file, without_answer

FILE = question_file(clips=4)
FMAR = [q for q in FILE.questions if q.task is Task.FMAR]
MADU = next(q for q in FILE.questions if q.task is Task.MADU)

Change = Callable[[dict[str, Any]], None]


def right_run(folder: Path, name: str = "base") -> Path:
    """A run in which every answer is right."""
    return write_run(folder, name, FILE, gold_answers(FILE))


def reissue(run: Path, change: Change) -> None:
    """Write the question file of a run again with every row changed."""
    path = run.parent / f"{run.name}-questions.json"
    rows = json.loads(path.read_text("utf-8"))
    for row in rows:
        change(row)
    path.write_text(json.dumps(rows), "utf-8")


def rotate_options(row: dict[str, Any]) -> None:
    """Put the options of an FMAR question one letter further, and its right answer too."""
    if row["task"] == "FMAR":
        stem, *options = row["question"].split("\n")
        labels = [option[3:] for option in options]
        turned = [f"{'ABCDE'[n]}. {label}" for n, label in enumerate([labels[-1], *labels[:-1]])]
        row["question"] = "\n".join([stem, *turned])
        row["answer"] = "BCDEA"["ABCDE".index(row["answer"])]


def edit_rows(path: Path, change: Change) -> None:
    """Change every row of a file of rows by hand."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for row in rows:
        change(row)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_answers_to_options_that_were_rotated_are_stale(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    assert score_run(run).scores.closed_avg.percent == 100
    reissue(run, rotate_options)
    found = score_run(run)
    fmar = found.scores.tasks[Task.FMAR]
    assert (fmar.answered, fmar.unanswered, fmar.stale, fmar.accuracy.correct) == (0, 0, 4, 0)
    others = [found.scores.tasks[task] for task in CLOSED_TASKS if task is not Task.FMAR]
    assert {(task.accuracy.percent, task.stale) for task in others} == {(100.0, 0)}
    assert set(found.answers) == {q.qid for q in FILE.questions} - {q.qid for q in FMAR}
    (note,) = found.notes
    assert "left out: 4 stale rows (FMAR_" in note
    assert all(q.qid in note for q in FMAR)
    cells = dict(zip(COUNT_COLUMNS, count_table(found.scores).rows["FMAR"], strict=True))
    assert (cells["asked"], cells["stale"], cells["missing"]) == ("4", "4", "0")


def test_gold_alone_may_change(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    reissue(run, lambda row: row.pop("answer"))
    found = score_run(run)
    assert (len(found.answers), found.notes) == (len(FILE.questions), ())


@pytest.mark.parametrize("key", ["video_name", "question"])
def test_a_row_about_another_clip_or_text_is_stale(tmp_path: Path, key: str) -> None:
    run = right_run(tmp_path)
    reissue(run, lambda row: row.update({key: f"new {row[key]}"} if row["task"] == "SAD" else {}))
    assert read_joined(run).stale == tuple(q.qid for q in FILE.questions if q.task is Task.SAD)


def test_stale_answers_are_not_submitted(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    reissue(run, rotate_options)
    with pytest.raises(InputError) as caught:
        submit_run(run, "team", tmp_path / "out")
    problems = caught.value.problems
    assert {problem.where for problem in problems} == {q.qid for q in FMAR}
    assert {problem.what.partition(":")[0] for problem in problems} == {"the answer is stale"}
    assert not (tmp_path / "out").exists()


def test_stale_answers_are_neither_compared_nor_shown(tmp_path: Path) -> None:
    first, second = right_run(tmp_path, "first"), right_run(tmp_path, "second")
    with RowFile(second / "answers.jsonl") as rows:  # answered again after the new issue
        reissue(first, rotate_options)
        reissue(second, rotate_options)
        joined = read_joined(second)
        for question in joined.questions.questions:
            if question.task is Task.FMAR:
                mark = row_mark(joined.manifest.fingerprint, question, None)
                rows.append(marked(ok(question, joined.questions.gold[question.qid]), mark))
    scored = [score_run(first), score_run(second)]
    found = compare_runs(*scored)
    assert "FMAR" not in {item.name for item in found.differences}
    assert found.missing == (len(FMAR), 0)
    page = write_report(scored, tmp_path / "report.html").read_text("utf-8")
    assert page.count("no row answers this question as it is now") == len(FMAR)


def test_answers_under_other_conditions_are_stale(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    question = FMAR[0]
    with RowFile(run / "answers.jsonl") as rows:  # as if two runs were joined by hand
        mark = row_mark("another run", question, None)
        rows.append(marked(ok(question, FILE.gold[question.qid]), mark))
    assert read_joined(run).stale == (question.qid,)


def test_a_run_that_answers_nothing_of_its_questions_is_refused(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    reissue(run, lambda row: row.update(qid=f"new {row['qid']}"))
    for work in (score_run, judge_run, lambda folder: submit_run(folder, "team", tmp_path)):
        with pytest.raises(RunError, match="none of its 48 rows answers a question"):
            work(run)


def test_rows_that_the_question_file_does_not_have_are_said(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    path = tmp_path / "base-questions.json"
    kept = [row for row in json.loads(path.read_text("utf-8")) if row["task"] != "PPR"]
    path.write_text(json.dumps(kept), "utf-8")
    found = score_run(run)
    assert found.scores.tasks[Task.CMAR].accuracy.percent == 100
    assert found.notes == ("left out: 8 rows with a qid that is not in the question file",)


@pytest.mark.parametrize(
    "change",
    [lambda row: row.update(clip="clip-0009"), lambda row: row.update(task="SAD")],
)
def test_a_row_that_contradicts_its_question_is_refused(tmp_path: Path, change: Change) -> None:
    run = right_run(tmp_path)
    edit_rows(run / "answers.jsonl", lambda row: change(row) if row["qid"] == MADU.qid else None)
    for work in (score_run, judge_run, lambda folder: submit_run(folder, "team", tmp_path)):
        with pytest.raises(InputError, match=f"{MADU.qid}: the row is about"):
            work(run)
    rows = {q.qid: ok(q, FILE.gold[q.qid]) for q in FILE.questions}
    tree = rows[MADU.qid].model_dump(mode="json")
    change(tree)
    with pytest.raises(InputError, match=f"{MADU.qid}: the row is about"):
        score(FILE, rows | {MADU.qid: Answer.model_validate(tree)})


def test_a_verdict_that_contradicts_its_question_is_refused(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    judge_run(run)
    edit_rows(run / "verdicts.jsonl", lambda row: row.update(clip="clip-0009"))
    with pytest.raises(InputError, match="and the clip 'clip-0009'"):
        score_run(run)


def test_verdicts_on_another_reference_or_question_do_not_count(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    judge_run(run)
    assert score_run(run).scores.judgements[0].tasks[Task.MADU][0].scored == 4
    reissue(run, lambda row: row.update(answer="A foot.") if row["qid"] == MADU.qid else None)
    found = score_run(run)
    assert found.scores.judgements[0].tasks[Task.MADU][0].scored == 3
    (note,) = found.notes
    assert "left out: 1 stale verdict, on another answer or reference" in note
    assert judge_run(run).done_before == 7
    assert score_run(run).scores.judgements[0].tasks[Task.MADU][0].scored == 4


def test_stale_answers_are_not_judged(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    reissue(run, lambda row: row.update(question="And now?") if row["qid"] == MADU.qid else None)
    summary = judge_run(run)
    assert (summary.total, summary.stale) == (7, 1)
    assert "stale rows, not judged: 1, given to" in summary.text()


def test_the_verdict_on_an_answer_that_came_back_counts(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    judge_run(run)
    mark = row_mark(read_joined(run).manifest.fingerprint, MADU, None)
    for text, calls_made in (("Something else.", 1), (FILE.gold[MADU.qid], 0)):
        with RowFile(run / "answers.jsonl") as rows:
            rows.append(marked(ok(MADU, text), mark))
        summary = judge_run(run)
        assert sum(summary.statuses.values()) == calls_made
        found = score_run(run)
        assert found.notes == ()
        assert found.scores.judgements[0].tasks[Task.MADU][0].scored == 4


def test_rows_are_checked_without_the_clips(tmp_path: Path) -> None:
    """They are written with clips at hand, and scored where there are none."""
    run = right_run(tmp_path)
    manifest = read_joined(run).manifest
    with RowFile(run / "answers.jsonl") as rows:
        for question in FMAR:
            answer = ok(question, FILE.gold[question.qid])
            rows.append(marked(answer, row_mark(manifest.fingerprint, question, 5000)))
    assert read_joined(run).notes == ()
    reissue(run, rotate_options)
    assert len(read_joined(run).stale) == len(FMAR)


@pytest.mark.parametrize(
    ("size_now", "changed", "stale", "unproven"),
    [
        (5000, False, 0, 0),
        (5000, True, 1, 0),
        (5001, False, 1, 0),
        (None, False, 0, 1),
        (None, True, 0, 1),
    ],
)
def test_rows_without_the_second_fingerprint_need_the_clip(
    tmp_path: Path, size_now: int | None, changed: bool, stale: int, unproven: int
) -> None:
    """fmau 0.1.0 wrote only the fingerprint that the size of the clip's file belongs to."""
    run = right_run(tmp_path)
    question = FMAR[0]
    mark = row_mark(read_joined(run).manifest.fingerprint, question, 5000)
    with RowFile(run / "answers.jsonl") as rows:
        answer = marked(ok(question, FILE.gold[question.qid]), mark)
        rows.append(answer.model_copy(update={"fingerprint_without_clip": None}))
    if size_now is not None:
        (tmp_path / f"{question.clip}.mp4").write_bytes(b"\0" * size_now)
    if changed:
        reissue(run, lambda row: rotate_options(row) if row["qid"] == question.qid else None)
    found = read_joined(run)
    assert (len(found.stale), found.unproven) == (stale, unproven)
    assert len(found.answers) == len(FILE.questions) - stale
    assert [note for note in found.notes if "fmau 0.1.0" in note] == list(found.notes[:unproven])


def test_old_rows_about_missing_clips_are_proven(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    edit_rows(run / "answers.jsonl", lambda row: row.pop("fingerprint_without_clip"))
    found = read_joined(run)
    assert (len(found.answers), found.notes) == (len(FILE.questions), ())


def test_a_failed_row_about_a_changed_question_is_stale_too(tmp_path: Path) -> None:
    question = FMAR[0]
    failed = {question.qid: without_answer(question, AnswerStatus.CLIP_FAILED)}
    run = write_run(tmp_path, "base", FILE, gold_answers(FILE) | failed)
    reissue(run, rotate_options)
    assert score_run(run).scores.tasks[Task.FMAR].clip_failed == 0


def test_old_rows_are_not_checked_where_the_folder_of_clips_is_unknown(tmp_path: Path) -> None:
    run = right_run(tmp_path)
    edit_rows(run / "answers.jsonl", lambda row: row.pop("fingerprint_without_clip"))
    reissue(run, rotate_options)
    tree = json.loads((run / "manifest.json").read_text("utf-8"))
    del tree["recipe"]["data"]["clips"]
    (run / "manifest.json").write_text(json.dumps(tree), "utf-8")
    assert (read_joined(run).stale, read_joined(run).unproven) == ((), len(FMAR))
