"""A client in a process of its own, and what it says of itself."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmau.answer import Summary
from fmau.core.errors import FmauError
from fmau.serve.client import chat as chat_client
from tests.answer.small_run import answer, questions, recipe
from tests.paths import REPO

FIRST_WAIT_S = 0.02
KNOBS: dict[str, Any] = {"retries": 4, "request_timeout_s": 0.6, "clips_in_flight": 3}


@dataclass(frozen=True)
class Said:
    """What a client that ended by itself said.

    Attributes:
        code: exit code.
        complete, remaining: of its summary; None if it ended with an error.
        error: its words.
    """

    code: int
    complete: bool | None = None
    remaining: int | None = None
    error: str | None = None


def here(root: Path, url: str, clips: int, **knobs: Any) -> Said:
    """Answer in this process."""
    usual = chat_client.FIRST_WAIT_S
    chat_client.FIRST_WAIT_S = FIRST_WAIT_S
    try:
        return told(answer(recipe(root, **(KNOBS | knobs)), questions(clips), url))
    except FmauError as error:
        return Said(1, error=str(error))
    finally:
        chat_client.FIRST_WAIT_S = usual


def told(summary: Summary) -> Said:
    """A summary, and the exit code that the command line makes of it."""
    return Said(0 if summary.complete else 1, summary.complete, summary.remaining)


def start(root: Path, url: str, clips: int, **faults: Any) -> subprocess.Popen[str]:
    """Answer in a process of its own.

    Args:
        faults: `file_bytes`: no file may grow beyond; `clock`: jumps of the wall clock, seconds;
            `dies_at`: killed just before it opens or renames a file of its run for the n-th time.
    """
    given = json.dumps({"root": str(root), "url": url, "clips": clips, **faults})
    command = [sys.executable, "-m", "tests.faults.client", given]
    return subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str], timeout_s: float = 60) -> Said:
    """Wait for a client's own words; a killed one has none."""
    output, _ = process.communicate(timeout=timeout_s)
    if not output.strip():
        return Said(process.returncode)
    words = json.loads(output)
    return Said(process.returncode, **words)


def _starve(file_bytes: int) -> None:
    """A limit on file sizes stands in for a full disk: what fits is written, the rest refused."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def _jump(jumps: list[float]) -> None:
    """A wall clock that is set again and again, backwards and forwards."""
    real, calls = time.time, 0

    def clock() -> float:
        nonlocal calls
        calls += 1
        return real() + jumps[calls // 3 % len(jumps)]

    time.time = clock


def _die(at: int, runs: Path) -> None:
    """SIGKILL at a moment that a clock would hardly ever hit."""
    touched = 0

    def see(event: str, given: tuple[Any, ...]) -> None:
        nonlocal touched
        if event in {"open", "os.rename", "os.mkdir"} and str(given[0]).startswith(str(runs)):
            touched += 1
            if touched == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(see)


def main() -> None:
    given = json.loads(sys.argv[1])
    if "dies_at" in given:
        _die(given["dies_at"], Path(given["root"]) / "runs")
    if "file_bytes" in given:
        _starve(given["file_bytes"])
    if "clock" in given:
        _jump(given["clock"])
    said = here(Path(given["root"]), given["url"], given["clips"])
    print(json.dumps({k: v for k, v in vars(said).items() if k != "code"}))
    sys.exit(said.code)


if __name__ == "__main__":
    main()
