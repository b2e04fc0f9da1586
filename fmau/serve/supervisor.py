"""Keeps one command from outliving whoever asked for it. Run as a script of its own.

    python -E -P supervisor.py PARENT_PID COMMAND...

vLLM is several processes (API server, engine core, workers), and a killed parent leaves the
others holding the port and the GPU. This small process stands between: it ends the whole tree when
the command ends, when it is told to (SIGTERM, or SIGINT to lose no time), or when the process
PARENT_PID is gone, however that one died. It exits with the command's status (128 + signal if a
signal ended it).
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
"""Time for vLLM's own shutdown, in seconds, before its processes are killed."""
ORPHAN_GRACE_S = 1.0
"""Time for what is left once the command itself is gone."""

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
    """Ask the command to stop, then kill whatever remains."""
    command.terminate()
    try:
        command.wait(grace_s)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()
    psutil.wait_procs(_descendants(), timeout=ORPHAN_GRACE_S)
    # A process may be forking while it is killed, so look again until there are none.
    while remaining := _descendants():
        for process in remaining:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(remaining, timeout=1.0)


def supervise(parent: int, argv: list[str]) -> int:
    """Run `argv` until it ends, a SIGTERM comes, or `parent` is no longer our parent."""
    asked: int | None = None

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = number

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Orphaned grandchildren become our children instead of init's, so none can slip away.
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    command = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        # Should this process itself be killed, the command is told.
        preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
    )
    while asked is None and os.getppid() == parent and command.poll() is None:
        time.sleep(POLL_S)
    _end_tree(command, 0.0 if asked == signal.SIGINT else GRACE_S)
    status = command.returncode
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(supervise(int(sys.argv[1]), sys.argv[2:]))
