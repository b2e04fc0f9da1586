"""Submissions are complete and valid, or not written."""

import json
from pathlib import Path

import pytest

from fmau.core.errors import InputError, RunError
from fmau.core.records import AnswerStatus
from fmau.core.taxonomy import Task
from fmau.runs import read_manifest
from fmau.score import load_predictions, score
from fmau.score.submission import ADAPTER_WARNING, submit_run, validate_submission, write_submission
from tests.report.runs import PROMPTS, write_run
from tests.score.synthetic import gold_answers, ok, question_file, without_answer

FILE = question_file(clips=3)
QUESTIONS = FILE.questions


def test_a_written_submission_is_valid_and_scores_as_the_run_does(tmp_path: Path) -> None:
    path = write_submission(QUESTIONS, gold_answers(FILE), PROMPTS, "Team-1", tmp_path)
    assert path.name == "Team-1_prediction.json"
    assert validate_submission(path, QUESTIONS) == []
    assert score(FILE, load_predictions(path, FILE)).closed_avg.percent == 100
    tree = json.loads(path.read_text("utf-8"))
    assert set(tree) == {"prompts", "answers"}
    assert [row["qid"] for row in tree["answers"]] == [q.qid for q in QUESTIONS]
    assert [row["task"] for row in tree["prompts"]] == [str(task) for task in Task]
    assert tree["prompts"][0]["system_prompt"] == "Be exact.\n\nOne person.\n\nCMAR: {question}"


def test_missing_failed_and_invalid_answers_are_refused_together(tmp_path: Path) -> None:
    answers = gold_answers(FILE)
    missing, failed, unparsed, invalid = [q for q in QUESTIONS if q.task is Task.SAD][:4]
    empty = next(q for q in QUESTIONS if q.task is Task.MARE)
    del answers[missing.qid]
    answers[failed.qid] = without_answer(failed, AnswerStatus.REQUEST_FAILED)
    answers[unparsed.qid] = without_answer(unparsed, AnswerStatus.UNPARSED)
    answers[invalid.qid] = ok(invalid, "yes")
    answers[empty.qid] = answers[empty.qid].model_copy(update={"answer": " "})
    with pytest.raises(InputError) as caught:
        write_submission(QUESTIONS, answers, PROMPTS, "team", tmp_path)
    problems = {problem.where: problem for problem in caught.value.problems}
    assert set(problems) == {q.qid for q in (missing, failed, unparsed, invalid, empty)}
    assert "fmau answer" in problems[failed.qid].remedy
    assert "another name" in problems[unparsed.qid].remedy  # asking again would not help
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("team", ["", "a b", "../x", "-x", "é"])
def test_team_names_are_plain(tmp_path: Path, team: str) -> None:
    with pytest.raises(RunError, match="team name"):
        write_submission(QUESTIONS, gold_answers(FILE), PROMPTS, team, tmp_path)


@pytest.mark.parametrize("adapter", [None, "runs/lora"])
def test_a_run_with_an_adapter_is_warned_about(tmp_path: Path, adapter: str | None) -> None:
    folder = write_run(tmp_path, "base", FILE, gold_answers(FILE))
    read_manifest(folder).model_copy(update={"adapter": adapter}).save(folder)
    submission = submit_run(folder, "team", tmp_path / "out")
    assert validate_submission(submission.path, QUESTIONS) == []
    assert submission.warnings == ((ADAPTER_WARNING,) if adapter else ())


def test_validation_finds_every_defect(tmp_path: Path) -> None:
    path = write_submission(QUESTIONS, gold_answers(FILE), PROMPTS, "team", tmp_path)
    tree = json.loads(path.read_text("utf-8"))
    tree["prompts"][0]["system_prompt"] = ""
    tree["prompts"][1]["task"] = "AS"
    rows = {row["qid"]: row for row in tree["answers"]}
    cmar = [q for q in QUESTIONS if q.task is Task.CMAR]
    rows[cmar[0].qid]["pred_answer"] = f"B. {cmar[0].options[1].label}"
    rows[cmar[1].qid]["pred_answer"] = " "
    rows[cmar[2].qid]["pred_answer"] = None
    dropped = tree["answers"].pop(next(i for i, q in enumerate(QUESTIONS) if q.task is Task.MAS))
    tree["answers"].append(dict(tree["answers"][0]))
    tree["answers"].append({"qid": "X_1", "pred_answer": "A"})
    path.write_text(json.dumps(tree), "utf-8")
    texts = [str(problem) for problem in validate_submission(path, QUESTIONS)]
    for expected in (
        "prompts CMAR: the system prompt is empty",
        "unknown task 'AS'",
        "prompts FMAR: has 0 entries",
        f"{cmar[0].qid}: the answer is 'B. ",
        f"{cmar[1].qid}: the answer is empty",
        f"({cmar[2].qid}): 'pred_answer' is None",
        f"{dropped['qid']}: is not answered",
        "has the same qid as answer 1",
        "(X_1): unknown qid",
    ):
        assert sum(expected in text for text in texts) == 1, expected
    assert len(texts) == 9


def test_validation_of_what_is_no_submission(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    (problem,) = validate_submission(path, QUESTIONS)
    assert problem.what == "no such file"
    path.write_text("[]", "utf-8")
    texts = [str(problem) for problem in validate_submission(path, QUESTIONS)]
    assert "prompts: is missing or is not a list" in texts[0]
    assert len(texts) == 1 + len(QUESTIONS)


def test_a_run_without_answers_is_refused_in_few_lines(tmp_path: Path) -> None:
    """Equal reasons stand in one line, with their number."""
    failed = [q for q in QUESTIONS if q.task is Task.SAD]
    answers = {q.qid: without_answer(q, AnswerStatus.REQUEST_FAILED) for q in failed}
    with pytest.raises(InputError) as caught:
        write_submission(QUESTIONS, answers, PROMPTS, "team", tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "36 problems found:"
    assert len(lines) == 3
    assert any("and 25 more: is not answered; run `fmau answer` again" in line for line in lines)
    assert any("and 1 more: has no answer (request_failed: no luck)" in line for line in lines)


def test_a_bad_prediction_file_is_refused_in_few_lines(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    rows = [{"qid": f"X_{number}", "pred_answer": "A"} for number in range(500)]
    path.write_text(json.dumps(rows), "utf-8")
    with pytest.raises(InputError, match="and 495 more: unknown qid; use the qids of") as caught:
        load_predictions(path, FILE)
    assert len(str(caught.value).splitlines()) == 2
