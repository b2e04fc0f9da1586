"""Faults of the commands that write files: python -m tests.faults.stages.

A trial runs a command without a fault, deletes what it wrote, runs it under one fault in a process
of its own, and then runs it again. Three things must hold: the fault is told in one line, unless
the process was killed; no file is ever half written; the last run gives what the first one gave.
"""

import argparse
import errno
import os
import random
import resource
import runpy
import shutil
import signal
import sys
import tempfile
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.faults.commands import STAGES, Stage

COLUMNS = ("trials", "half written", "not told", "good items lost", "not the same after")
BAD_ITEM = "bad item"
TOUCHES = {"open", "os.rename", "os.mkdir"}


class Command:
    """A command in a process of its own, under a fault.

    The process is a copy of this one, so that it need not import everything again.

    Args:
        watched: folder in which `dies_at` and `refuse` act.
        dies_at: killed just before the n-th file is written to, renamed or made.
        refuse: whatever it would write fails with this error number.
        file_bytes: no file may grow beyond.
    """

    def __init__(self, stage: Stage, arguments: list[object], **fault: Any) -> None:
        self._stage = stage
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by finish)
        self._process = get_context("fork").Process(target=self._run, args=(arguments, fault))
        self._process.start()

    def finish(self) -> tuple[int | None, str]:
        """Exit code, negative for a signal, and what it said."""
        self._process.join(120)
        with self._said as said:
            said.seek(0)
            return self._process.exitcode, said.read()

    def _run(self, arguments: list[object], fault: dict[str, Any]) -> None:
        for number in (1, 2):
            os.dup2(self._said.fileno(), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        if "watched" in fault:
            _watch(fault["watched"], fault.get("dies_at"), fault.get("refuse"))
        if "file_bytes" in fault:
            resource.setrlimit(resource.RLIMIT_FSIZE, (fault["file_bytes"],) * 2)
        sys.argv = [self._stage.program, *map(str, arguments)]
        runpy.run_module(self._stage.program, run_name="__main__")


def killed(trial: "Trial") -> None:
    """SIGKILL just before a file is written to, renamed or made: any of the first eleven."""
    moment = trial.random.randrange(1, 12)
    while not trial.under({"dies_at": moment}):
        moment = max(1, moment // 2)  # the command does not write so often


def full_disk(trial: "Trial") -> None:
    """A limit on file sizes stands in for a full disk."""
    largest = max(len(content) for content in trial.want.values())
    assert trial.under(
        {"file_bytes": trial.random.randrange(trial.stage.least_room, largest)}, words="make room"
    )


def read_only(trial: "Trial") -> None:
    """Nothing in the folder can be written."""
    assert trial.under({"refuse": errno.EROFS}, words="ead-only")


def two_at_once(trial: "Trial") -> None:
    """The command is started twice at the same moment: both end well, or one is refused."""
    trial.under({}, {}, words="another process is")


def bad_item(trial: "Trial") -> None:
    """One of the items that the command reads is damaged."""
    assert trial.with_bad_item()


FAULTS = {
    "killed (SIGKILL)": killed,
    "disk full": full_disk,
    "folder read-only": read_only,
    "two at once": two_at_once,
    BAD_ITEM: bad_item,
}


class Trial:
    """One stage in a folder of its own, with what it writes without a fault.

    Attributes:
        want: the files of a run without a fault.
        counts: what the trials showed, by `COLUMNS`.
    """

    def __init__(self, stage: Stage, root: Path, seed: int) -> None:
        self.stage, self.root, self.random = stage, root, random.Random(seed)
        self.arguments = stage.prepare(root)
        assert self._run() == 0
        self.want = stage.files(root)
        assert self.want
        self.counts = Counter[str]()

    def _run(self) -> int | None:
        code, _ = Command(self.stage, self.arguments).finish()
        return code

    def under(self, *faults: dict[str, Any], words: str = "") -> bool:
        """Run the command under faults, all at once, then without.

        Args:
            words: must stand in what a command says that failed.

        Returns:
            Whether the fault came to pass. If not, the trial does not count.
        """
        self.stage.delete(self.root)
        watched = str(self.root)
        started = [
            Command(self.stage, self.arguments, watched=watched, **fault) for fault in faults
        ]
        struck, told = len(faults) > 1, True
        for command in started:
            code, said = command.finish()
            struck |= code != 0 or (words in said and bool(words))
            if code not in (0, -signal.SIGKILL):
                told &= _is_told(said, words)
        torn = self.stage.torn(self.stage.files(self.root), self.want)
        same = self._is_the_same_after()
        if struck:
            self._count(torn=torn, told=told, lost=0, same=same)
        return struck

    def with_bad_item(self) -> bool:
        """Run the command with one item damaged, then with the item as it was."""
        bad = self.stage.bad
        assert bad is not None
        self.stage.delete(self.root)
        with tempfile.TemporaryDirectory() as sound:
            shutil.copytree(self.root, sound, dirs_exist_ok=True)
            bad.spoil(self.root)
            code, said = Command(self.stage, self.arguments).finish()
            lost = bad.good - bad.done(self.root) if bad.done else 0
            # A command that goes on tells of the bad item at its end; one that refuses, in errors.
            told = code != 0 and (_is_told(said, bad.words) if not bad.done else bad.words in said)
            torn = self.stage.torn(self.stage.files(self.root), self.want) if not bad.done else 0
            shutil.copytree(sound, self.root, dirs_exist_ok=True)
        if bad.done is None:
            same = self._is_the_same_after()
        else:  # what was bad comes later than it would have, so the files may differ
            same = self._run() == 0 and bad.done(self.root) == bad.items
        self._count(torn=torn, told=told, lost=lost, same=same)
        return code != 0

    def _is_the_same_after(self) -> bool:
        already = self.stage.once and self.stage.files(self.root) == self.want
        ended = self._run()
        return (already or ended == 0) and self.stage.files(self.root) == self.want

    def _count(self, *, torn: int, told: bool, lost: int, same: bool) -> None:
        numbers = (1, torn, int(not told), lost, int(not same))
        self.counts.update(dict(zip(COLUMNS, numbers, strict=True)))


def _is_told(said: str, words: str) -> bool:
    """Whether a command that failed says why in one error, without a traceback."""
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    told = len(errors) == 1 and words in said and "Traceback" not in said
    print(*(errors if told else [said]), sep="\n", file=sys.stderr)
    return told


def _watch(folder: str, dies_at: int | None, refuse: int | None) -> None:
    """Kill this process, or refuse it, at what it does under `folder`."""
    touched = 0

    def see(event: str, given: tuple[Any, ...]) -> None:
        nonlocal touched
        if event not in TOUCHES or not str(given[0]).startswith(folder):
            return
        if event == "open" and not given[2] & (os.O_WRONLY | os.O_RDWR):
            return
        touched += 1
        if touched == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if refuse:
            raise OSError(refuse, os.strerror(refuse), str(given[0]))

    sys.addaudithook(see)


def main() -> None:
    """All trials, as a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("commands", nargs="*", default=[*STAGES])
    options.add_argument("--trials", type=int, default=4, help="of each fault")
    given = options.parse_args()
    print(f"| command | fault | {' | '.join(COLUMNS)} |")
    print(f"|---|---|{'---:|' * len(COLUMNS)}")
    for name in given.commands:
        for fault, inject in FAULTS.items():
            if fault == BAD_ITEM and STAGES[name].bad is None:
                continue
            with tempfile.TemporaryDirectory() as folder:
                trial = Trial(STAGES[name], Path(folder), seed=0)
                for _ in range(given.trials):
                    inject(trial)
            numbers = " | ".join(str(trial.counts[column]) for column in COLUMNS)
            print(f"| `fmau {name}` | {fault} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
