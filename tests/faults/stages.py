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
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from fmau.cli import main as fmau
from tests.cli.support import small_recipe
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, question_file

COLUMNS = ("trials", "half written", "not told", "not the same after")
TOUCHES = {"open", "os.rename", "os.mkdir"}


@dataclass(frozen=True)
class Stage:
    """A command under trial.

    Attributes:
        prepare: writes what the command reads into a folder, and gives the arguments.
        written: files and folders that the command writes in it.
    """

    prepare: Callable[[Path], list[object]]
    written: tuple[str, ...]

    def files(self, root: Path) -> dict[str, bytes]:
        """The finished files that the command has written so far."""
        found: list[Path] = []
        for name in self.written:
            found += [root / name, *(root / name).rglob("*")]
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(found)
            if path.is_file() and path.suffix not in {".part", ".lock"} and path.name != ".lock"
        }

    def delete(self, root: Path) -> None:
        """Delete all that the command has written."""
        for name in self.written:
            if (root / name).is_dir():
                shutil.rmtree(root / name)
            else:
                (root / name).unlink(missing_ok=True)


def _run_folder(root: Path) -> Path:
    questions = question_file(clips=3)
    return write_run(root, "run", questions, gold_answers(questions))


def _mini(root: Path) -> list[object]:
    return ["mini", root / "mini", "--clips", 7, "--train-clips", 0, "--seed", 3]


def _frames(root: Path) -> list[object]:
    return ["frames", small_recipe(root), "--set", f"data.cache={root / 'cache'}"]


def _report(root: Path) -> list[object]:
    return ["report", _run_folder(root), "--no-frames", "--export", root / "tables"]


def _submit(root: Path) -> list[object]:
    return ["submit", _run_folder(root), "--team", "T", "--out", root / "out"]


STAGES = {
    "score": Stage(lambda root: ["score", _run_folder(root)], ("run/scores.json",)),
    "report": Stage(_report, ("run/scores.json", "run/report.html", "tables")),
    "submit": Stage(_submit, ("out",)),
    "frames": Stage(_frames, ("cache",)),
    "mini": Stage(_mini, ("mini",)),
}


class Command:
    """A command in a process of its own, under a fault.

    The process is a copy of this one, so that it need not import everything again.

    Args:
        watched: folder in which `dies_at` and `refuse` act.
        dies_at: killed just before the n-th file is written to, renamed or made.
        refuse: whatever it would write fails with this error number.
        file_bytes: no file may grow beyond.
    """

    def __init__(self, arguments: list[object], **fault: Any) -> None:
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
        sys.argv = ["fmau", *map(str, arguments)]
        fmau()


def killed(trial: "Trial") -> None:
    """SIGKILL just before a file is written to, renamed or made: any of the first eleven."""
    moment = trial.random.randrange(1, 12)
    while not trial.under({"dies_at": moment}):
        moment = max(1, moment // 2)  # the command does not write so often


def full_disk(trial: "Trial") -> None:
    """A limit on file sizes stands in for a full disk."""
    largest = max(len(content) for content in trial.want.values())
    assert trial.under({"file_bytes": trial.random.randrange(largest)}, words="make room")


def read_only(trial: "Trial") -> None:
    """Nothing in the folder can be written."""
    assert trial.under({"refuse": errno.EROFS}, words="ead-only")


def two_at_once(trial: "Trial") -> None:
    """The command is started twice at the same moment: both end well, or one is refused."""
    trial.under({}, {}, words="another process is")


FAULTS = {
    "killed (SIGKILL)": killed,
    "disk full": full_disk,
    "folder read-only": read_only,
    "two at once": two_at_once,
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
        code, _ = Command(self.arguments).finish()
        return code

    def under(self, *faults: dict[str, Any], words: str = "") -> bool:
        """Run the command under faults, all at once, then without.

        Args:
            words: must stand in what a command says that failed.

        Returns:
            Whether the fault came to pass. If not, the trial does not count.
        """
        self.stage.delete(self.root)
        started = [Command(self.arguments, watched=str(self.root), **fault) for fault in faults]
        struck, told = len(faults) > 1, True
        for command in started:
            code, said = command.finish()
            struck |= code != 0 or (words in said and bool(words))
            if code not in (0, -signal.SIGKILL):
                errors = [line for line in said.splitlines() if line.startswith("error: ")]
                told &= len(errors) == 1 and words in said and "Traceback" not in said
                print(*(errors or [said]), sep="\n", file=sys.stderr)
        found = self.stage.files(self.root)
        torn = sum(content != self.want.get(name) for name, content in found.items())
        same = self._run() == 0 and self.stage.files(self.root) == self.want
        if struck:
            self.counts.update(
                dict(zip(COLUMNS, (1, torn, int(not told), int(not same)), strict=True))
            )
        return struck


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
            with tempfile.TemporaryDirectory() as folder:
                trial = Trial(STAGES[name], Path(folder), seed=0)
                for _ in range(given.trials):
                    inject(trial)
            numbers = " | ".join(str(trial.counts[column]) for column in COLUMNS)
            print(f"| `fmau {name}` | {fault} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
