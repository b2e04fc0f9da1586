"""One trial per fault: a run driven to its end the way a user would, then judged by its files."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.answer.small_run import questions
from tests.answer.stub_server import StubServer
from tests.faults.audit import FINAL, Finding, audit
from tests.faults.client import REPO, Said, finish, here, start
from tests.faults.proxy import CHANGING, PASSING, FaultProxy, Spoil

CLIPS = 5
STARTS = 12
"""So often a user starts the command before the trial counts as not ending."""


@dataclass
class Trial:
    """One run under one fault.

    Attributes:
        root: a fresh folder.
        seed: of everything random in it.
        starts: how often the command was started.
        dishonest: what a client said of itself that its files do not bear out.
        spoiled: qids whose replies were changed.
        may_fail: whether questions listed as failed are a right outcome.
    """

    root: Path
    seed: int
    starts: int = 0
    dishonest: list[str] = field(default_factory=list)
    spoiled: set[str] = field(default_factory=set)
    may_fail: bool = False

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.asked = questions(CLIPS)

    @property
    def answers(self) -> Path:
        return self.root / "runs" / "run" / "answers.jsonl"

    def rows(self) -> int:
        """Whole rows in the file so far."""
        return self.answers.read_bytes().count(b"\n") if self.answers.exists() else 0

    def has_more_rows_than(self, count: int) -> bool:
        """Whether rows were added."""
        return self.rows() > count

    def check(self, said: Said) -> Said:
        """Hold what a client said against the files."""
        self.starts += 1
        statuses = {}
        for line in self.answers.read_text().splitlines() if self.answers.exists() else ():
            row = json.loads(line)
            statuses[row["qid"]] = row["status"]
        done = len(statuses) == len(self.asked) and set(statuses.values()) <= FINAL
        if (said.code == 0) != done:
            self.dishonest.append(f"exit code {said.code}, but all final: {done}")
        if said.complete is not None and said.complete != done:
            self.dishonest.append(f"complete: {said.complete}, but all final: {done}")
        if said.complete and said.remaining:
            self.dishonest.append(f"complete with {said.remaining} remaining")
        if said.code != 0 and said.complete is None and not said.error:
            self.dishonest.append("ended without a word")
        return said

    def finish(self, url: str) -> None:
        """Start the command until it says that it is complete."""
        while not self.check(here(self.root, url, CLIPS)).complete:
            assert self.starts < STARTS, f"not complete after {STARTS} starts"

    def finding(self) -> Finding:
        """What the files say now."""
        return audit(self.root, self.asked, self.spoiled)


def behind_proxy(spoil: Spoil, trial: Trial) -> None:
    """Faults that pass: one start must do."""
    with (
        StubServer() as server,
        FaultProxy(server.base_url, spoil, trial.seed) as proxy,
    ):
        trial.finish(proxy.base_url)
        assert proxy.spoiled, "nothing was spoiled"


def changed_replies(spoil: Spoil, trial: Trial) -> None:
    """Replies that hold no answer: rows that say so, and nothing guessed."""
    with (
        StubServer() as server,
        FaultProxy(server.base_url, spoil, trial.seed, lasting=True) as proxy,
    ):
        trial.finish(proxy.base_url)
        trial.spoiled = proxy.spoiled
        assert proxy.spoiled, "nothing was spoiled"


def lasting_refusals(trial: Trial) -> None:
    """Some questions never get a reply: they are listed as failed, with the reason."""
    trial.may_fail = True
    with (
        StubServer() as server,
        FaultProxy(server.base_url, PASSING["HTTP 500"], trial.seed, lasting=True) as proxy,
    ):
        said = trial.check(here(trial.root, proxy.base_url, CLIPS, retries=1))
        assert said.complete is False
        assert trial.finding().failed == proxy.spoiled


def killed_client(trial: Trial) -> None:
    """SIGKILL at random moments, then a last start."""
    with StubServer(delay_s=0.01) as server:
        for _ in range(3):
            before = trial.rows()
            process = start(trial.root, server.base_url, CLIPS)
            wait_until(partial(trial.has_more_rows_than, before), process)
            time.sleep(trial.random.random() * 0.15)
            process.kill()
            process.communicate()
            trial.starts += 1
        trial.finish(server.base_url)


def killed_while_opening(trial: Trial) -> None:
    """SIGKILL between any two of the files that a start opens, in new folders and old."""
    with StubServer() as server:
        for dies_at in trial.random.sample(range(1, 9), 3):
            process = start(trial.root, server.base_url, CLIPS, dies_at=dies_at)
            process.communicate()
            trial.starts += 1
        trial.finish(server.base_url)


def ended_client(number: signal.Signals, trial: Trial) -> None:
    """A signal: an end within two seconds, a clean file, and a summary that says so."""
    with StubServer(delay_s=0.05) as server:
        process = start(trial.root, server.base_url, CLIPS)
        wait_until(lambda: trial.rows() > 0, process)
        time.sleep(trial.random.random() * 0.1)
        process.send_signal(number)
        asked_at = time.monotonic()
        said = trial.check(finish(process))
        if time.monotonic() - asked_at > 2:
            trial.dishonest.append(f"{number.name} took more than two seconds")
        if not said.complete and said.remaining != len(trial.asked) - trial.rows():
            trial.dishonest.append(f"{said.remaining} said to remain")
        trial.finish(server.base_url)


def killed_server(trial: Trial) -> None:
    """The server is killed and comes back at the same port, without the clips that it held."""
    with server_process(0) as (process, port):
        url = f"http://127.0.0.1:{port}"
        done: list[Said] = []
        thread = threading.Thread(target=lambda: done.append(here(trial.root, url, CLIPS)))
        thread.start()
        wait_until(lambda: trial.rows() > trial.random.randrange(40))
        process.kill()
        process.wait()
        with server_process(port, wait_s=trial.random.random() * 0.3):
            thread.join(60)
            trial.check(done[0])
            if not done[0].complete:
                trial.finish(url)


def full_disk(trial: Trial) -> None:
    """The disk fills up within a row; then there is room again."""
    with StubServer() as server:
        limit = 9_000 + trial.random.randrange(6_000)
        said = trial.check(finish(start(trial.root, server.base_url, CLIPS, file_bytes=limit)))
        assert said.error, "the disk never filled up"
        assert "make room" in said.error
        trial.finish(server.base_url)


def full_disk_from_the_start(trial: Trial) -> None:
    """Not even the manifest fits, in a new folder; then there is room again."""
    with StubServer() as server:
        limit = trial.random.randrange(2_000)
        said = trial.check(finish(start(trial.root, server.base_url, CLIPS, file_bytes=limit)))
        assert said.error, "the manifest fitted"
        assert "make room" in said.error
        assert not server.asked
        trial.finish(server.base_url)


def read_only_folder(trial: Trial) -> None:
    """The run folder cannot be written: said at once, and nothing asked."""
    runs = trial.root / "runs"
    runs.write_text("a file stands where the folder should be")
    with StubServer() as server:
        said = trial.check(here(trial.root, server.base_url, CLIPS))
        assert said.error
        assert "cannot be made" in said.error
        assert not server.asked
        runs.unlink()
        trial.finish(server.base_url)


def changed_clock(trial: Trial) -> None:
    """The wall clock jumps back an hour and ahead a year while questions are answered."""
    with StubServer(delay_s=0.002) as server:
        jumps = [0.0, -3600.0, 3.2e7, -86400.0]
        trial.random.shuffle(jumps)
        said = trial.check(finish(start(trial.root, server.base_url, CLIPS, clock=jumps)))
        assert said.complete


def two_clients(trial: Trial) -> None:
    """Two clients on one folder: one works, the other is refused and writes nothing."""
    with StubServer(delay_s=0.02) as server:
        both = [start(trial.root, server.base_url, CLIPS) for _ in range(2)]
        said = [finish(process) for process in both]
        refused = [one for one in said if one.error]
        # They may also have come one after the other.
        assert len(refused) <= 1
        assert all("another process is writing" in str(one.error) for one in refused)
        trial.starts += 1
        trial.finish(server.base_url)


def half_written_line(trial: Trial) -> None:
    """The last row was cut off at a random byte, as a power cut leaves it."""
    with StubServer() as server:
        trial.finish(server.base_url)
        content = trial.answers.read_bytes()
        last = content[:-1].rfind(b"\n") + 1
        trial.answers.write_bytes(content[: trial.random.randrange(last + 1, len(content))])
        trial.finish(server.base_url)


def changed_recipe(trial: Trial) -> None:
    """A run half done, gone on with under another recipe: refused by name, the file untouched."""
    with StubServer(delay_s=0.01) as server:
        process = start(trial.root, server.base_url, CLIPS)
        wait_until(lambda: trial.rows() > trial.random.randrange(40), process)
        process.kill()
        process.communicate()
        before = trial.answers.read_bytes()
        said = here(trial.root, server.base_url, CLIPS, max_tokens_open=64)
        assert said.error
        assert "max_tokens_open: 512 -> 64" in said.error
        if trial.answers.read_bytes() != before:
            trial.dishonest.append("a refused client wrote rows")
        trial.finish(server.base_url)


@contextmanager
def server_process(port: int, wait_s: float = 0.0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A stub server in a process of its own; port 0 picks one."""
    time.sleep(wait_s)
    command = [sys.executable, "-m", "tests.answer.stub_server", str(port), "0.01"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def wait_until(
    condition: Callable[[], bool], process: "subprocess.Popen[str] | None" = None
) -> None:
    """Wait for a condition, at most half a minute; the end of `process` ends it too."""
    deadline = time.monotonic() + 30
    while not condition():
        if process is not None and process.poll() is not None:
            return
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


TRIALS: dict[str, Callable[[Trial], None]] = {
    **{name: partial(behind_proxy, spoil) for name, spoil in PASSING.items()},
    **{name: partial(changed_replies, spoil) for name, spoil in CHANGING.items()},
    "some questions never answered": lasting_refusals,
    "client killed (SIGKILL)": killed_client,
    "client killed as it opens the run": killed_while_opening,
    "client interrupted (Ctrl-C)": partial(ended_client, signal.SIGINT),
    "client told to end (SIGTERM)": partial(ended_client, signal.SIGTERM),
    "server killed and restarted": killed_server,
    "disk full": full_disk,
    "disk full from the start": full_disk_from_the_start,
    "run folder not writable": read_only_folder,
    "clock set back and ahead": changed_clock,
    "two clients on one run": two_clients,
    "half-written last line": half_written_line,
    "recipe changed on resume": changed_recipe,
}
"""Fault -> how to try it. What a trial asserts of itself is not counted: it must simply hold."""
