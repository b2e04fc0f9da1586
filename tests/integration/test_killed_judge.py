"""`fmau judge` in a process of its own, killed and started again."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmau.runs import read_verdicts
from fmau.score import score_run
from tests.cli.support import run as run_command
from tests.judge.cases import StubJudge, judge_file
from tests.paths import REPO
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, question_file

QUESTIONS = question_file(clips=20)


def test_a_killed_judge_goes_on_and_ends_with_the_same_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / name for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
    runs = [write_run(f, "base", QUESTIONS, gold_answers(QUESTIONS)) for f in folders]
    with StubJudge(delay_s=0.01) as server:
        file = judge_file(tmp_path, server.base_url)
        assert run_command(capsys, "judge", runs[0], "--judge", file)[0] == 0
        assert len(server.asked) == 120
        server.delay_s = 0.05
        command = [sys.executable, "-m", "fmau", "judge", str(runs[1]), "--judge", str(file)]
        process = subprocess.Popen(command, cwd=REPO)
        while len(read_verdicts(runs[1])) < 30:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(read_verdicts(runs[1]))
        assert 30 <= before < 120
        server.delay_s = 0.0
        server.asked.clear()
        assert run_command(capsys, "judge", runs[1], "--judge", file)[0] == 0
        assert len(server.asked) == 120 - before
    whole, killed = (
        {(row.qid, row.levels): row.scores for row in read_verdicts(run)} for run in runs
    )
    assert whole == killed
    assert len(whole) == 120
    assert score_run(runs[0]).scores == score_run(runs[1]).scores
