"""`fmau runs`: what is in a folder of runs, and deleting one."""

import json
from pathlib import Path

import pytest

from fmau.core.records import AnswerStatus
from fmau.runs import reopen_run
from tests.cli.support import fails, run
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, question_file, without_answer

QUESTIONS = question_file(clips=3)

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, capsys: Capture) -> Path:
    """A scored run, one that failed half-way, one without answers, a damaged one, and a file."""
    failed = dict(list(gold_answers(QUESTIONS).items())[:20])
    for question in QUESTIONS.questions[20:24]:
        failed[question.qid] = without_answer(question, AnswerStatus.REQUEST_FAILED)
    write_run(tmp_path, "scored", QUESTIONS, gold_answers(QUESTIONS))
    write_run(tmp_path, "half", QUESTIONS, failed)
    write_run(tmp_path, "empty", QUESTIONS, {})
    (write_run(tmp_path, "torn", QUESTIONS, {}) / "manifest.json").write_text("{", "utf-8")
    assert run(capsys, "score", tmp_path / "scored")[0] == 0
    return tmp_path


def test_every_run_has_its_state(folder: Path, capsys: Capture) -> None:
    code, said, _ = run(capsys, "runs", folder, "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(said)}
    assert [*rows] == ["empty", "half", "scored", "torn"]
    assert [rows[name]["status"] for name in ("empty", "half", "scored")] == [
        "no answers",
        "20 answered, 4 failed",
        "36 answered",
    ]
    assert "manifest.json" in rows["torn"]["status"]
    assert rows["scored"]["closed_avg"] == 100.0
    assert rows["half"]["closed_avg"] is None
    files = [path for path in (folder / "half").rglob("*") if path.is_file()]
    assert rows["half"]["size"] == sum(path.stat().st_size for path in files)
    code, said, _ = run(capsys, "runs", folder)
    assert code == 0
    for name in ("empty", "half", "scored", "torn", "100.00"):
        assert name in said


def test_a_run_is_deleted_after_a_question(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", lambda text, abort: (_ for _ in ()).throw(SystemExit(1)))
    assert run(capsys, "runs", folder, "--delete", "half")[0] == 1
    assert (folder / "half").exists()
    code, said, _ = run(capsys, "runs", folder, "--delete", "half", "--yes")
    assert (code, (folder / "half").exists()) == (0, False)
    assert "deleted" in said
    assert (folder / "scored").exists()
    missing = fails(capsys, "runs", folder, "--delete", "nothing", "--yes")
    assert "no run is named 'nothing'; there are: empty, scored, torn" in " ".join(missing.split())


def test_a_run_at_work_is_not_deleted(folder: Path, capsys: Capture) -> None:
    with reopen_run(folder / "scored", "judge"):
        said = fails(capsys, "runs", folder, "--delete", "scored", "--yes")
    assert "another process is writing to this run" in " ".join(said.split())
    assert (folder / "scored").exists()


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: Capture) -> None:
    assert "no such folder" in fails(capsys, "runs", tmp_path / "nowhere")
    code, said, _ = run(capsys, "runs", tmp_path)
    assert (code, "no runs" in said) == (0, True)


def test_a_run_without_answers_has_no_scores(folder: Path, capsys: Capture) -> None:
    said = fails(capsys, "score", folder / "empty")
    assert "the run has no answers; fmau answer RECIPE asks its questions" in " ".join(said.split())
    assert not (folder / "empty" / "scores.json").exists()


def test_a_report_about_all_runs_leaves_out_what_does_not_belong(
    folder: Path, capsys: Capture
) -> None:
    fewer = question_file(clips=2, seed=5)
    other = write_run(folder, "other", fewer, gold_answers(fewer))
    folders = [folder / name for name in ("scored", "empty", "half", "torn")]
    code, said, complained = run(capsys, "report", *folders, other, "--no-frames")
    assert code == 0, said + complained
    for name in ("empty", "torn", "other"):
        assert f"left out: {folder / name}" in complained.replace("\n", "")
    page = (folder / "scored" / "report.html").read_text("utf-8")
    assert "<title>scored, half" in page
