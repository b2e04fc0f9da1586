"""A client in a process of its own, killed or told to stop while it asks a stub server."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmau.runs import open_run, read_manifest
from tests.answer.small_run import PROMPTS, answer, expected, questions, recipe, rows
from tests.answer.stub_server import StubServer
from tests.paths import REPO


def client(root: Path, base_url: str, clips: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.answer.small_run", str(root), base_url, str(clips)]
    return subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True)


def wait_for(server: StubServer, requests: int) -> None:
    deadline = time.monotonic() + 30
    while len(server.questions) < requests:
        assert time.monotonic() < deadline, "the client never got going"
        time.sleep(0.005)


@pytest.mark.parametrize("at", [1, 13, 57])
def test_a_killed_client_goes_on_where_it_was(tmp_path: Path, at: int) -> None:
    asked = questions(8)
    with StubServer(delay_s=0.02) as server:
        process = client(tmp_path, server.base_url, 8)
        wait_for(server, at)
        process.kill()
        process.wait()
        saved = rows(tmp_path)
        before = len(server.questions)
        answer(recipe(tmp_path), asked, server.base_url)
    assert rows(tmp_path) == expected(asked)
    again = [a.qid for a in server.questions[before:]]
    assert sorted(again) == sorted({q.qid for q in asked} - set(saved))
    sessions = read_manifest(tmp_path / "runs" / "run").sessions
    assert [session.ended is None for session in sessions] == [True, False]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_client_cleanly_within_two_seconds(tmp_path: Path, number: int) -> None:
    with StubServer(fault=lambda a: "hang" if a.qid.startswith("MADU") else None) as server:
        process = client(tmp_path, server.base_url, 8)
        wait_for(server, 30)
        process.send_signal(number)
        started = time.monotonic()
        output, _ = process.communicate(timeout=10)
        assert time.monotonic() - started < 2
    assert process.returncode == 0
    result = json.loads(output)
    assert result == {"stopped": True, "remaining": 96 - len(rows(tmp_path))}
    session = read_manifest(tmp_path / "runs" / "run").sessions[0]
    assert session.ended is not None
    assert session.facts["stopped"] is True


def test_a_second_client_is_refused(tmp_path: Path) -> None:
    with open_run(recipe(tmp_path), PROMPTS):
        done = subprocess.run(
            [sys.executable, "-m", "tests.answer.small_run", str(tmp_path), "http://unused", "1"],
            cwd=REPO,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "another process is writing to this run" in done.stderr
