"""Worker processes end with their parent, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from fmau.core.errors import RunError
from fmau.core.workers import worker_pool
from tests.paths import REPO

PARENT = """
import sys
from pathlib import Path
from fmau.core.workers import worker_pool
from tests.core.test_workers import touch_and_sleep

if __name__ == "__main__":
    with worker_pool(2) as pool:
        list(pool.map(touch_and_sleep, [Path(sys.argv[1]) / str(i) for i in range(8)]))
"""


def touch_and_sleep(path: Path) -> None:
    path.touch()
    time.sleep(1.5)


def end_this_process(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def divide(by: int) -> float:
    time.sleep(0.2)
    return 1 / by


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(number: signal.Signals, tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT, "utf-8")
    done = tmp_path / "done"
    done.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    with subprocess.Popen(
        [sys.executable, program, done], env=environment, stderr=subprocess.DEVNULL
    ) as parent:
        deadline = time.monotonic() + 60
        while len(list(done.iterdir())) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert len(workers) >= 2
        parent.send_signal(number)
        parent.wait(30)
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive
    assert len(list(done.iterdir())) < 8


def test_a_worker_that_is_killed_is_an_error_for_people() -> None:
    with pytest.raises(RunError, match="ended from outside"), worker_pool(1) as pool:
        list(pool.map(end_this_process, [0]))


def test_an_error_drops_the_calls_that_have_not_begun() -> None:
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError), worker_pool(1) as pool:
        list(pool.map(divide, [0, *[1] * 100]))
    assert time.monotonic() - started < 15
