"""A server's life and death, with small programs in the place of vLLM."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmau.core.errors import ServerError
from fmau.serve.client import base_model, is_alive
from fmau.serve.preflight import check_address
from tests.paths import REPO
from tests.serve.support import (
    ANSWERING,
    STUBBORN_FAMILY,
    fake_server,
    gone,
    read_pids,
)


def test_ready_then_stopped_and_the_port_is_free(tmp_path: Path) -> None:
    with fake_server(tmp_path, ANSWERING) as server:
        server.wait_ready()
        assert server.alive()
        assert is_alive(server.base_url)
        model = base_model(server.base_url)
        assert model is not None
        assert (model.name, model.root) == ("m", "/models/m")
    assert not server.alive()
    check_address(server.serve, None)


@pytest.mark.slow
def test_progress_shows_the_last_log_line(tmp_path: Path) -> None:
    script = f"import time\nprint('loading weights', flush=True)\ntime.sleep(2)\n{ANSWERING}"
    seen: list[str] = []
    with fake_server(tmp_path, script) as server:
        server.wait_ready(progress=seen.append)
    assert "loading weights" in seen


def test_a_server_that_dies_shows_the_cause_and_the_log(tmp_path: Path) -> None:
    script = "print('noise\\n' * 500)\nraise ValueError('the checkpoint has no lm_head')"
    with fake_server(tmp_path, script) as server, pytest.raises(ServerError) as caught:
        server.wait_ready()
    message = str(caught.value)
    assert "ValueError: the checkpoint has no lm_head" in message
    assert str(server.log_path) in message
    assert "noise" not in message
    assert len(message.splitlines()) <= 5


def test_a_killed_server_says_so(tmp_path: Path) -> None:
    script = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    with fake_server(tmp_path, script) as server, pytest.raises(ServerError) as caught:
        server.wait_ready()
    assert "SIGKILL" in str(caught.value)
    assert "memory" in str(caught.value)


def test_a_log_of_an_earlier_start_is_kept_but_not_blamed(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text("KeyError: 'an old sorrow'\n")
    with (
        fake_server(tmp_path, "raise SystemExit(3)") as server,
        pytest.raises(ServerError) as caught,
    ):
        server.wait_ready()
    assert "old sorrow" not in str(caught.value)
    assert "status 3" in str(caught.value)
    assert "old sorrow" in server.log_path.read_text()


def test_a_server_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    script = "import time\nprint('loading shard 1 of 9', flush=True)\ntime.sleep(600)"
    with fake_server(tmp_path, script, timeout_s=1) as server:
        with pytest.raises(ServerError, match=r"loading shard 1 of 9.*serve\.ready_timeout_s"):
            server.wait_ready()
        assert not server.alive()


@pytest.mark.slow
def test_another_server_on_the_port_is_not_taken_for_ours(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    with fake_server(tmp_path / "a", ANSWERING) as first:
        first.wait_ready()
        loser = f"PORT = {first.serve.port}\nimport time\ntime.sleep(2)\n{ANSWERING}"
        with fake_server(tmp_path / "b", loser) as second:
            second.serve = first.serve
            with pytest.raises(ServerError, match="Address already in use"):
                second.wait_ready()


def test_stop_ends_grandchildren_that_ignore_it(tmp_path: Path) -> None:
    with fake_server(tmp_path, STUBBORN_FAMILY) as server:
        pids = read_pids(tmp_path)
    assert all(gone(pid, 0.5) for pid in pids)
    server.stop()  # again: harmless


def test_children_of_a_crashed_server_are_ended_too(tmp_path: Path) -> None:
    with fake_server(tmp_path, STUBBORN_FAMILY) as server:
        pids = read_pids(tmp_path)
        os.kill(pids[0], signal.SIGKILL)
        assert all(gone(pid) for pid in pids)
        assert "killed by SIGKILL" in str(server.failure())


OWNER = """
import sys, time
from pathlib import Path
from tests.serve.support import STUBBORN_FAMILY, fake_server
with fake_server(Path(sys.argv[1]), STUBBORN_FAMILY):
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.slow
def test_no_process_outlives_ours(tmp_path: Path, number: signal.Signals) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], cwd=REPO)
    pids = read_pids(tmp_path)
    owner.send_signal(number)
    assert all(gone(pid) for pid in pids)
    owner.wait(10)


def test_no_process_outlives_the_supervisor(tmp_path: Path) -> None:
    with fake_server(tmp_path, ANSWERING) as server:
        server.wait_ready()
        (child,) = server._descendants()
        os.kill(server._supervisor.pid, signal.SIGKILL)
        assert gone(child.pid)


def test_the_server_survives_the_thread_that_started_it(tmp_path: Path) -> None:
    import threading

    started = []
    thread = threading.Thread(target=lambda: started.append(fake_server(tmp_path, ANSWERING)))
    thread.start()
    thread.join()
    with started[0] as server:
        server.wait_ready()
        time.sleep(0.5)
        assert server.alive()
