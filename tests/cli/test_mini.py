"""`fmau mini` as a user calls it, read back by the stages that use its files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fmau.cli import app
from fmau.dataset.questions import load_questions
from fmau.frames.timeline import probe

pytestmark = pytest.mark.slow


def test_a_mini_benchmark_without_training_set(tmp_path: Path) -> None:
    out = tmp_path / "mini"
    call = ["mini", str(out), "--clips", "7", "--train-clips", "0", "--seed", "3"]
    result = CliRunner().invoke(app, call, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    file = load_questions(out / "questions.json")
    assert len(file.questions) == len(file.gold) == 84
    clips = {question.clip for question in file.questions}
    assert {path.stem for path in (out / "clips").iterdir()} == clips
    assert all(1 <= probe(path).duration_s <= 5.1 for path in (out / "clips").iterdir())
    assert not (out / "train").exists()
    assert json.loads((out / "mini.json").read_text("utf-8"))["seed"] == 3


def test_a_training_set_has_other_people_and_captions(tmp_path: Path) -> None:
    out = tmp_path / "mini"
    call = ["mini", str(out), "--clips", "7", "--train-clips", "7"]
    assert CliRunner().invoke(app, call, catch_exceptions=False).exit_code == 0
    captions = json.loads((out / "train" / "captions.json").read_text("utf-8"))
    assert len(captions) == 7
    assert all(len(row["caption"]) == 5 and all(row["caption"].values()) for row in captions)
    names = {path.name for path in (out / "train" / "clips").iterdir()}
    assert {row["video"] for row in captions} == names
    test_names = {path.name for path in (out / "clips").iterdir()}
    assert not names & test_names
