"""Run a command and end all of its processes when the parent process ends. A separate script.

    python -E -P supervisor.py PARENT_PID COMMAND...

`server.py` starts vLLM through this script. vLLM consists of several processes (API server, engine
core, workers). If only the first one is killed, the others keep the port and the GPU. The
supervisor is the parent of them all. It ends the whole process tree in three cases: the command
ended; a signal came (SIGTERM waits for vLLM's shutdown, SIGINT kills at once); or the process
PARENT_PID is gone for any reason. Its exit status is the command's (128 + signal number if a
signal ended the command).
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from types import FrameType

import psutil

POLL_S = 0.1
GRACE_S = 10.0
"""Seconds that vLLM gets for its own shutdown before its processes are killed."""
ORPHAN_GRACE_S = 1.0
"""Seconds that the remaining processes get to end after the command itself has ended."""

# From <sys/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _descendants() -> list[psutil.Process]:
    processes: list[psutil.Process] = psutil.Process().children(recursive=True)
    return processes


def _end_tree(command: subprocess.Popen[bytes], grace_s: float) -> None:
    """Ask the command to stop, wait `grace_s`, then kill all processes that remain."""
    command.terminate()
    try:
        command.wait(grace_s)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()
    psutil.wait_procs(_descendants(), timeout=ORPHAN_GRACE_S)
    # A process may fork while it is being killed, so repeat until none is left.
    while remaining := _descendants():
        for process in remaining:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(remaining, timeout=1.0)


def supervise(parent: int, argv: list[str]) -> int:
    """Run `argv` until it ends, a signal comes, or `parent` is no longer our parent.

    Returns its exit status, 128 + signal number if a signal ended it.
    """
    asked: int | None = None

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = number

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # If a child dies, Linux makes its own children ours instead of init's, so we can end them.
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    command = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        # If this process is killed, Linux sends the command a SIGTERM.
        preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
    )
    while asked is None and os.getppid() == parent and command.poll() is None:
        time.sleep(POLL_S)
    _end_tree(command, 0.0 if asked == signal.SIGINT else GRACE_S)
    status = command.returncode
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(supervise(int(sys.argv[1]), sys.argv[2:]))
