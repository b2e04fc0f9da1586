"""Output that its encoding, its disk or its reader cannot take: words, and never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.paths import REPO
from tests.question_rows import question_rows

LABEL = "nicken – 頷く"
"""No Latin-1 terminal has these letters."""


def fmau(*arguments: object, stdout: Any = subprocess.PIPE, **environment: str) -> Any:
    """One command in a process of its own; stdout and stderr as bytes."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return subprocess.run(
        [sys.executable, "-m", "fmau", *map(str, arguments)],
        cwd=REPO,
        env={**usual, **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )


@pytest.fixture
def scored(tmp_path: Path) -> tuple[Path, Path]:
    """A question file and predictions, whose names hold letters that few encodings have."""
    folder = tmp_path / LABEL
    folder.mkdir()
    rows = question_rows("nod")
    (folder / f"{LABEL}.json").write_text(json.dumps(rows), "utf-8")
    answers = {row["qid"]: row.get("answer") or "text" for row in rows}
    given = [{"qid": qid, "pred_answer": answer} for qid, answer in answers.items()]
    (folder / f"{LABEL} pred.json").write_text(json.dumps(given), "utf-8")
    return folder / f"{LABEL}.json", folder / f"{LABEL} pred.json"


POOR_TERMINALS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.slow
@pytest.mark.parametrize("terminal", POOR_TERMINALS.values(), ids=POOR_TERMINALS)
@pytest.mark.parametrize("json_option", [(), ("--json",)])
def test_letters_that_the_terminal_does_not_have(
    terminal: dict[str, str], json_option: tuple[str, ...], scored: tuple[Path, Path]
) -> None:
    questions, predictions = scored
    files = ("--questions", questions, "--predictions", predictions)
    ended = fmau("score", *files, *json_option, **terminal)
    assert ended.returncode == 0, ended.stderr
    if json_option:
        assert json.loads(ended.stdout)["tasks"]
    else:
        assert b"nicken \\u2013" in ended.stdout or b"Table 4" in ended.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("recipes",), ("recipes", "zero_shot"), ("--help",), ("score", "--help")]
)
def test_a_full_disk_behind_stdout(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        ended = fmau(*arguments, stdout=full)
    assert ended.returncode == 1
    assert ended.stderr.decode() == "error: stdout: cannot be written: No space left on device\n"


@pytest.mark.slow
def test_a_reader_that_stops_reading() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        ended = fmau("recipes", "zero_shot", stdout=pipe)
    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr
