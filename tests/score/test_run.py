"""From run folders to scores and reports on the disk."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fmau.core.errors import RunError
from fmau.report import write_report
from fmau.score import Scores, compare_runs, score, score_run, told_apart
from tests.paths import REPO
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, ok, question_file, random_answers

QUESTIONS = question_file(clips=4)
ANSWERS = random_answers(QUESTIONS)
OTHERS = question_file(clips=5)


def test_a_run_folder_scores_like_its_answers(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "base", QUESTIONS, ANSWERS)
    run = score_run(folder)
    assert run.name == "base"
    assert run.scores == score(QUESTIONS, ANSWERS)
    written = (folder / "scores.json").read_text("utf-8")
    assert Scores.model_validate_json(written) == run.scores


def test_the_latest_row_counts(tmp_path: Path) -> None:
    failed = [q for q in QUESTIONS.questions if q.qid in ANSWERS and not ANSWERS[q.qid].answer]
    folder = write_run(tmp_path, "base", QUESTIONS, ANSWERS)
    before = score_run(folder).scores
    with (folder / "answers.jsonl").open("a", encoding="utf-8") as rows:
        rows.write(ok(failed[0], QUESTIONS.gold[failed[0].qid]).model_dump_json() + "\n")
    after = score_run(folder).scores
    task = failed[0].task
    assert after.tasks[task].answered == before.tasks[task].answered + 1


def test_a_report_of_two_runs(tmp_path: Path) -> None:
    folders = [write_run(tmp_path, name, QUESTIONS, ANSWERS) for name in ("base", "tuned")]
    out = write_report([*map(score_run, folders)], tmp_path / "report.html")
    text = out.read_text("utf-8")
    assert "<title>base, tuned · fmau report</title>" in text
    assert "some/model @ abc" in text
    assert all((folder / "scores.json").exists() for folder in folders)


def test_a_runs_training_is_shown_and_a_damaged_log_is_said(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "tuned", QUESTIONS, ANSWERS)
    log = [{"step": 1, "loss": 2.0}, {"step": 2, "eval_score": 40.0}]
    (folder / "training.json").write_text(json.dumps(log), "utf-8")
    assert score_run(folder).training == log
    page = write_report([score_run(folder)], tmp_path / "report.html").read_text("utf-8")
    assert 'data-chart="training-0"' in page
    assert 'data-chart="actions"' in page
    for damaged in ("[", "{}", "[1]"):
        (folder / "training.json").write_text(damaged, "utf-8")
        with pytest.raises(RunError, match=r"training\.json"):
            score_run(folder)


def test_runs_are_compared_by_a_judge_that_both_had(tmp_path: Path) -> None:
    folders = [write_run(tmp_path, name, QUESTIONS, ANSWERS) for name in ("base", "tuned")]
    found = compare_runs(*map(score_run, folders))
    assert found.judge is None
    assert {item.difference for item in found.differences} == {0}
    other = write_run(tmp_path, "other", OTHERS, gold_answers(OTHERS))
    with pytest.raises(RunError, match="answered different questions"):
        compare_runs(score_run(folders[0]), score_run(other))


def test_runs_that_do_not_belong_in_one_report(tmp_path: Path) -> None:
    base = score_run(write_run(tmp_path, "base", QUESTIONS, ANSWERS))
    other = score_run(write_run(tmp_path, "other", OTHERS, gold_answers(OTHERS)))
    with pytest.raises(RunError, match="other and base answered different questions"):
        write_report([base, other], tmp_path / "report.html")
    with pytest.raises(RunError, match="same name"):
        write_report([base, base], tmp_path / "report.html")
    with pytest.raises(RunError, match="no run here"):
        score_run(tmp_path)
    with pytest.raises(RunError, match="cannot be written"):
        write_report([base], tmp_path / "nowhere" / "report.html")


def test_scoring_and_reporting_load_no_model_library() -> None:
    script = (
        "import fmau.report, sys; print({'torch', 'transformers', 'openai'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "set()\n"


READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77
shift
exec "$@"
"""
"""Run a command in a name space of its own, in which one folder is read-only even for root."""


def with_read_only(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    words = ["unshare", "-rm", "sh", "-c", READ_ONLY, "sh", folder, sys.executable, "-m", "fmau"]
    done = subprocess.run(
        [*map(str, words), *map(str, command)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        cwd=REPO,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this machine lets nobody mount a folder")
    return done


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs Linux' unshare")
def test_a_read_only_run_is_scored_compared_and_reported(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    folder = write_run(tmp_path / "runs", "base", QUESTIONS, ANSWERS)
    done = with_read_only(tmp_path / "runs", "score", folder, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["questions"] == len(QUESTIONS.questions)
    assert "scores.json is not written, because the folder is read-only" in done.stderr
    assert not (folder / "scores.json").exists()
    done = with_read_only(tmp_path / "runs", "report", folder, "--no-frames")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "make the folder writable, or give another one" in done.stderr
    page = tmp_path / "page.html"
    done = with_read_only(tmp_path / "runs", "report", folder, "--no-frames", "--out", page)
    assert (done.returncode, page.exists()) == (0, True), done.stderr


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a read-only file system, where even removing a missing file fails so."""

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    opened = os.open

    def only_read(path: Any, flags: int, *more: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            refuse(path)
        return opened(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", only_read)
    monkeypatch.setattr(Path, "unlink", refuse)


def test_scores_that_are_there_already_are_not_written_again(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = write_run(tmp_path, "base", QUESTIONS, ANSWERS)
    before = score_run(folder)
    request.getfixturevalue("read_only")
    assert score_run(folder) == before
    (folder / "scores.json").write_text("{}", "utf-8")
    note = score_run(folder).notes[-1]
    assert note == f"{folder / 'scores.json'} is not written, because the folder is read-only"


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_run(tmp_path, "base", QUESTIONS, ANSWERS)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match="No space left on device; make room on the disk"):
        score_run(folder)
    assert not (folder / "scores.json").exists()


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = (score_run(write_run(tmp_path / f, "x", QUESTIONS, ANSWERS)) for f in "ab")
    third = score_run(write_run(tmp_path, "y", QUESTIONS, ANSWERS))
    assert [run.name for run in told_apart([one, third, other])] == [
        f"x ({tmp_path / 'a' / 'x'})",
        "y",
        f"x ({tmp_path / 'b' / 'x'})",
    ]
    assert compare_runs(one, other).names[0] == f"x ({tmp_path / 'a' / 'x'})"
    with pytest.raises(RunError, match="the run is given 2 times"):
        compare_runs(one, one)
