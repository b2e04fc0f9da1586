"""The commands about results, as a user calls them."""

import json
from pathlib import Path

import pytest

from tests.cli.support import fails, run
from tests.report.runs import write_questions, write_run
from tests.score.synthetic import gold_answers, question_file, random_answers

QUESTIONS = question_file(clips=12)

Capture = pytest.CaptureFixture[str]


def test_audit_prints_json_and_nothing_else_on_stdout(tmp_path: Path, capsys: Capture) -> None:
    file = write_questions(tmp_path / "q.json", QUESTIONS)
    code, said, _ = run(capsys, "audit", file, "--json")
    assert code == 0
    assert [check["id"] for check in json.loads(said)["checks"]] == [
        "label-code-suffix",
        "duplicate-option",
        "duplicate-question",
        "class-prior",
        "opposite-pair",
        "label-named",
        "blind-classifier",
        "schema",
    ]
    assert "no such file" in fails(capsys, "audit", tmp_path / "nowhere.json")


def test_compare_says_which_run_is_better(tmp_path: Path, capsys: Capture) -> None:
    worse = write_run(tmp_path, "worse", QUESTIONS, random_answers(QUESTIONS))
    better = write_run(tmp_path, "better", QUESTIONS, gold_answers(QUESTIONS))
    code, said, _ = run(capsys, "compare", worse, better)
    assert code == 0
    assert "better against worse" in said
    _, said, _ = run(capsys, "compare", worse, better, "--json")
    found = {item["name"]: item for item in json.loads(said)["differences"]}
    assert found["Closed-AVG"]["second"] == 100.0
    assert found["Closed-AVG"]["p"] < 0.01
    assert "no run here" in fails(capsys, "compare", worse, tmp_path)


def test_a_report_without_clips_says_so_and_exports(tmp_path: Path, capsys: Capture) -> None:
    folder = write_run(tmp_path, "base", QUESTIONS, gold_answers(QUESTIONS))
    out = tmp_path / "tables"
    code, said, _ = run(capsys, "report", folder, "--export", out)
    assert code == 0
    assert {path.name for path in out.iterdir()} == {
        "table4.md",
        "table4.csv",
        "table4.tex",
        "answers.parquet",
    }
    assert "report.html" in said
    page = (folder / "report.html").read_text("utf-8")
    assert "12 clips stand here without their frames" in page  # the folder holds no clips
    run(capsys, "report", folder, "--no-frames")
    assert "stand here without" not in (folder / "report.html").read_text("utf-8")
