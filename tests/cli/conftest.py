"""A plain terminal, a small recipe and a stand-in for vLLM."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.answer.stub_server import StubServer
from tests.cli.support import small_recipe
from tests.paths import REPO


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)  # prompt sets are looked up by name from there
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe in a folder of its own, with one clip, twelve questions and a prompt set."""
    return small_recipe(tmp_path)


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server
