"""Running one command of the command line within a test, and a small recipe to run it with."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from fmau.cli import main
from tests.answer.small_run import PROMPTS
from tests.answer.stub_server import MODEL
from tests.clips import write_clip
from tests.question_rows import write_questions


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command; a traceback would escape as an exception."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(sys, "argv", ["fmau", *map(str, arguments)])
    try:
        main()
        code: Any = 0
    except SystemExit as ended:
        code = ended.code
    finally:
        monkeypatch.undo()
    captured = capsys.readouterr()
    return int(code or 0), captured.out, captured.err


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command that must end with exit code 1 says on stderr."""
    code, _, said = run(capsys, *arguments)
    assert code == 1, said
    assert "error: " in said
    return said


def small_recipe(folder: Path, clips: Sequence[str] = ("nod",)) -> Path:
    """Write a recipe for the stub server, with clips, twelve questions each, and a prompt set."""
    (folder / "clips").mkdir()
    for clip in clips:
        write_clip(folder / "clips" / f"{clip}.mp4", 20)
    write_questions(folder / "questions.json", clips, marked=True)
    (folder / "prompts.yaml").write_text(yaml.safe_dump(PROMPTS.texts.model_dump(mode="json")))
    tree = {
        "name": "small",
        "runs": str(folder / "runs"),
        "model": {"path": MODEL, "dtype": "float32"},
        "data": {
            "questions": str(folder / "questions.json"),
            "clips": str(folder / "clips"),
        },
        "frames": {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 16384},
        "prompt": {"set": str(folder / "prompts.yaml")},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path
