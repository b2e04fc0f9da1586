"""Questions of one's own, as docs/formats.md describes them, from nothing to a report.

Six clips and twelve questions go through `fmau answer` with the real vLLM and the tiny checkpoint.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fmau.cli import app
from fmau.demo.tiny import CHECKPOINT
from fmau.runs import read_answers
from tests.clips import write_clip
from tests.integration.tiny_served import SIZE
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]


def rows() -> list[dict[str, Any]]:
    """Six choices of three or four options, four yes/no questions, two open ones."""
    gaze = "Which part moves most?\nA) Head\nB) Hand\nC) Foot"
    found = []
    for number in range(6):
        clip = {"video": f"meeting_{number}.mp4"}
        choice = {"task": "Gaze", "type": "choice", "question": gaze + "\nD) None" * (number % 2)}
        found.append({**clip, **choice, "qid": f"gaze_{number}", "answer": "ABC"[number % 3]})
        if number < 4:
            asked = {"task": "Calm", "type": "yes_no", "question": "Do both hands rest?"}
            found.append({**clip, **asked, "qid": f"calm_{number}", "answer": "Yes"})
        if number < 2:
            asked = {"task": "Summary", "type": "open", "question": "What does the person do?"}
            found.append({**clip, **asked, "qid": f"summary_{number}", "answer": "She nods."})
    return found


def test_own_questions_are_answered_scored_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    for number in range(6):
        write_clip(tmp_path / "clips" / f"meeting_{number}.mp4", 60, **SIZE)
    asked = rows()
    (tmp_path / "questions.json").write_text(json.dumps(asked))
    sets = {
        "name": "own",
        "runs": "runs",
        "data.questions": "questions.json",
        "data.clips": "clips",
        "model.path": CHECKPOINT,
        "serve.port": free_port(8300),
        "serve.max_num_seqs": 64,
    }
    recipe = ["zero_shot_tiny", *(f"--set={key}={value}" for key, value in sets.items())]

    assert "12 (4 Calm, 6 Gaze, 2 Summary)" in run("check", *recipe).output
    run("answer", *recipe)
    given = {row.qid: row for row in read_answers(tmp_path / "runs" / "own")}
    assert {qid: row.task for qid, row in given.items()} == {r["qid"]: r["task"] for r in asked}

    scores = json.loads(run("score", "runs/own", "--json").stdout)
    found = {task["task"]: task for task in scores["own_tasks"]}
    for task, chance in (("Gaze", (3 * 100 / 3 + 3 * 100 / 4) / 6), ("Calm", 50)):
        of_task = [row for row in asked if row["task"] == task]
        right = sum(given[row["qid"]].answer == row["answer"] for row in of_task)
        assert found[task]["accuracy"]["correct"] == right
        assert found[task]["chance"] == pytest.approx(chance)
    assert found["Summary"]["asked"] == 2

    printed = run("report", "runs/own", "--export", "out").output
    assert "Table 4" not in printed
    with (tmp_path / "out" / "own_tasks.csv").open() as file:
        assert [row["task"] for row in csv.DictReader(file)] == ["Calm", "Gaze"]
    assert not (tmp_path / "out" / "table4.csv").exists()
    page = (tmp_path / "runs" / "own" / "report.html").read_text()
    assert "Table 4</h2>" not in page
    assert '"Gaze"' in page


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, result.output
    return result
