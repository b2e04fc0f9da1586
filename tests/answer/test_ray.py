"""Answering on Ray, as far as it goes without Ray."""

from pathlib import Path

import pytest

from fmau.answer.ray import LOCAL, answer_on_ray
from fmau.core.errors import ServerError
from fmau.runs import open_run
from tests.answer.small_run import PROMPTS, questions, recipe


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = recipe(tmp_path)
    monkeypatch.setattr("fmau.answer.ray.util.find_spec", lambda name: None)
    with open_run(wanted, PROMPTS) as run, pytest.raises(ServerError, match=r"fmau\[ray\]"):
        answer_on_ray(run, wanted, PROMPTS, questions(1), LOCAL)
