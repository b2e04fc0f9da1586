"""A plain terminal, a small recipe and a stand-in for vLLM."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.answer.small_run import PROMPTS
from tests.answer.stub_server import MODEL, StubServer
from tests.clips import write_clip
from tests.paths import REPO
from tests.question_rows import write_questions


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)  # prompt sets are looked up by name from there
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe in a folder of its own, with one clip, twelve questions and a prompt set."""
    (tmp_path / "clips").mkdir()
    write_clip(tmp_path / "clips/nod.mp4", 20)
    write_questions(tmp_path / "questions.json", ["nod"], marked=True)
    (tmp_path / "prompts.yaml").write_text(yaml.safe_dump(PROMPTS.model_dump(mode="json")))
    tree = {
        "name": "small",
        "runs": str(tmp_path / "runs"),
        "model": {"path": MODEL, "dtype": "float32"},
        "data": {
            "questions": str(tmp_path / "questions.json"),
            "clips": str(tmp_path / "clips"),
        },
        "frames": {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 16384},
        "prompt": {"set": str(tmp_path / "prompts.yaml")},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server
