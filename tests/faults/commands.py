"""The commands that write files, each with what it reads, what it writes, and an item gone bad."""

import atexit
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.cli.support import small_recipe
from tests.clips import cut_off
from tests.paths import REPO
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, question_file

LOCKS = {".part", ".lock"}
ROWS = ".jsonl"
ROWS_OWN = {"seconds", "cached_tokens", "prompt_tokens"}
"""What differs from run to run in rows that are alike."""
CLIPS = ("nod", "turn", "wave")


@dataclass(frozen=True)
class Bad:
    """One bad item among good ones.

    Attributes:
        spoil: damages a file in the folder.
        words: must stand in what the command says.
        done: counts the items of which the command has written results; None for a command that
            writes nothing while an item is bad.
        items: how many there are.
        good: how many of them stay good.
    """

    spoil: Callable[[Path], None]
    words: str
    done: Callable[[Path], int] | None = None
    items: int = 0
    good: int = 0


@dataclass(frozen=True)
class Stage:
    """A command under trial.

    Attributes:
        prepare: writes what the command reads into a folder, and gives the arguments.
        written: files and folders that the command writes in it.
        bad: an item gone bad; None for a command that reads no items.
        compared: pattern of the files that every run writes alike.
        least_room: bytes that each file may take even on a full disk: batches of a loader are
            files too, but in memory.
        once: the command refuses to write what it has written before.
        program: module that is started.
    """

    prepare: Callable[[Path], list[object]]
    written: tuple[str, ...]
    bad: Bad | None
    compared: str = "*"
    least_room: int = 0
    once: bool = False
    program: str = "fmau"

    def files(self, root: Path) -> dict[str, bytes]:
        """The finished files that the command has written so far.

        Of files that grow row by row, the whole rows, sorted and without what they cost.
        """
        found: list[Path] = []
        for name in self.written:
            found += [root / name, *(root / name).rglob("*")]
        return {
            str(path.relative_to(root)): _rows(path) if path.suffix == ROWS else path.read_bytes()
            for path in sorted(found)
            if path.is_file() and path.suffix not in LOCKS and path.name != ".lock"
            if path.match(self.compared)
        }

    def torn(self, found: Mapping[str, bytes], want: Mapping[str, bytes]) -> int:
        """Number of files with other contents than those wanted; rows may still be missing."""
        torn = 0
        for name, content in found.items():
            if name.endswith(ROWS):
                torn += not {*content.splitlines()} <= {*want.get(name, b"").splitlines()}
            else:
                torn += content != want.get(name)
        return torn

    def delete(self, root: Path) -> None:
        """Delete all that the command has written."""
        for name in self.written:
            if (root / name).is_dir():
                shutil.rmtree(root / name)
            else:
                (root / name).unlink(missing_ok=True)


def _rows(path: Path) -> bytes:
    lines = path.read_bytes().splitlines(keepends=True)
    rows = [json.loads(line) for line in lines if line.endswith(b"\n")]
    alike = [{name: row[name] for name in row if name not in ROWS_OWN} for row in rows]
    return "\n".join(sorted(map(json.dumps, alike))).encode()


def _elsewhere(code: str, root: Path) -> None:
    """Run code in a process of its own: a process that has used torch cannot be copied safely."""
    command = [sys.executable, "-c", f"root = __import__('pathlib').Path({str(root)!r})\n{code}"]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True)


def _run_folder(root: Path) -> Path:
    questions = question_file(clips=3)
    return write_run(root, "run", questions, gold_answers(questions))


def _mini(root: Path) -> list[object]:
    return ["mini", root / "mini", "--clips", 7, "--train-clips", 0, "--seed", 3]


def _frames(root: Path) -> list[object]:
    return ["frames", small_recipe(root, CLIPS), "--set", f"data.cache={root / 'cache'}"]


def _answer(root: Path) -> list[object]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.answer.stub_server", "0", "0"],
        cwd=REPO,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.kill)
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    return ["answer", small_recipe(root, CLIPS), "--server", f"http://127.0.0.1:{port}"]


def _judge(root: Path) -> list[object]:
    return ["judge", _run_folder(root)]


def _score(root: Path) -> list[object]:
    return ["score", _run_folder(root)]


def _report(root: Path) -> list[object]:
    return ["report", _run_folder(root), "--no-frames", "--export", root / "tables"]


def _submit(root: Path) -> list[object]:
    return ["submit", _run_folder(root), "--team", "T", "--out", root / "out"]


def _export(root: Path) -> list[object]:
    _elsewhere(
        "from tests.lora import save_adapter, save_base\n"
        "save_adapter(root / 'run' / 'adapter', save_base(root / 'base'))",
        root,
    )
    return ["export", root / "run" / "adapter", "--merge", "--out", root / "merged"]


def _train(root: Path) -> list[object]:
    _elsewhere(
        "from tests.train.workshop import furnish, recipe_file\n"
        "recipe_file(furnish(root), 'small', lora={'rank': 32}, mixture={'CMAR': 1})",
        root,
    )
    return [root / "small.yaml"]


def _cut(name: str, root: Path) -> None:
    cut_off(root / name, 0.5)


def _garble_row(root: Path) -> None:
    """Put something that is no row in the middle of the answers."""
    path = root / "run" / "answers.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:7], b'{"qid": 7}\n', *lines[8:]]))


def _lone_surrogate(root: Path) -> None:
    """A caption that is no text."""
    path = root / "captions.json"
    rows = json.loads(path.read_text("utf-8"))
    rows[4]["caption"] = dict.fromkeys(rows[4]["caption"], "The head " + chr(0xD83D) + " nods.")
    path.write_text(json.dumps(rows), "utf-8")


def _extracted(root: Path) -> int:
    from fmau.frames.cache import FrameCache

    return len(FrameCache(root / "cache"))


def _answered(root: Path) -> int:
    rows = (root / "runs" / "small" / "answers.jsonl").read_bytes().splitlines()
    return sum(json.loads(row)["status"] == "ok" for row in rows)


GARBLED = Bad(_garble_row, "answers.jsonl line 8")
BROKEN_CLIP = partial(_cut, "clips/turn.mp4")

STAGES = {
    "score": Stage(_score, ("run/scores.json",), GARBLED),
    "report": Stage(_report, ("run/scores.json", "run/report.html", "tables"), GARBLED),
    "submit": Stage(_submit, ("out",), GARBLED),
    "judge": Stage(_judge, ("run/verdicts.jsonl",), GARBLED),
    "frames": Stage(_frames, ("cache",), Bad(BROKEN_CLIP, "turn.mp4", _extracted, 3, 2)),
    "answer": Stage(
        _answer, ("runs",), Bad(BROKEN_CLIP, "turn.mp4", _answered, 36, 24), "answers.jsonl"
    ),
    "mini": Stage(_mini, ("mini",), None),
    "export": Stage(
        _export,
        ("merged", "run/adapter/README.md"),
        Bad(partial(_cut, "run/adapter/adapter_model.safetensors"), "adapter_model.safetensors"),
        once=True,
    ),
    "train": Stage(
        _train,
        ("runs",),
        Bad(_lone_surrogate, "captions.json"),
        "adapter_model.safetensors",
        least_room=2**20,
        program="fmau.train",
    ),
}
