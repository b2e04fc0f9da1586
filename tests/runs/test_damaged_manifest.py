"""A damaged recipe or condition in a manifest: words from every command that reads it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import fails
from tests.report.runs import write_questions, write_run
from tests.score.synthetic import gold_answers, question_file

QUESTIONS = question_file(clips=2)

Capture = pytest.CaptureFixture[str]
Tree = dict[str, Any]


def put(*keys: str, value: Any) -> Callable[[Tree], None]:
    """A change that sets the value under these keys."""

    def change(tree: Tree) -> None:
        for key in keys[:-1]:
            tree = tree[key]
        tree[keys[-1]] = value

    return change


def drop(*keys: str) -> Callable[[Tree], None]:
    """A change that removes the value under these keys."""

    def change(tree: Tree) -> None:
        for key in keys[:-1]:
            tree = tree[key]
        del tree[keys[-1]]

    return change


RECIPES: dict[str, tuple[Callable[[Tree], None], str]] = {
    "empty": (put("recipe", value={}), "name: missing; model: missing; data: missing"),
    "no name": (drop("recipe", "name"), "name: missing"),
    "a number as name": (put("recipe", "name", value=7), "name: Input should be a valid string"),
    "no model": (drop("recipe", "model"), "model: missing"),
    "a list as model": (put("recipe", "model", value=[]), "model: Input should be"),
    "no path": (drop("recipe", "model", "path"), "model.path: missing"),
    "no data": (drop("recipe", "data"), "data: missing"),
    "data null": (put("recipe", "data", value=None), "data: Input should be"),
    "no questions": (drop("recipe", "data", "questions"), "data.questions: missing"),
    "a list of questions": (put("recipe", "data", "questions", value=[1]), "data.questions: Input"),
    "no prompt": (drop("recipe", "prompt"), "prompt: missing"),
    "a word as prompt": (put("recipe", "prompt", value="brief"), "prompt: Input should be"),
    "no answer block": (drop("recipe", "answer"), "answer: missing"),
    "odd blind": (put("recipe", "answer", "blind", value="perhaps"), "answer.blind: Input should"),
    "a list": (put("recipe", value=[]), "recipe: Input should be an object"),
    "no recipe": (drop("recipe"), "recipe: missing"),
    "judges odd": (put("judges", value={"a": 3}), "judges.a: Input should be"),
    "sessions odd": (put("sessions", value=[{}]), "sessions.0.stage: missing"),
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_questions(tmp_path / "q.json", QUESTIONS)
    return write_run(tmp_path, "run", QUESTIONS, gold_answers(QUESTIONS))


def damage(run: Path, change: Callable[[Tree], None]) -> None:
    manifest = run / "manifest.json"
    tree = json.loads(manifest.read_text("utf-8"))
    change(tree)
    manifest.write_text(json.dumps(tree), "utf-8")


@pytest.mark.parametrize(("change", "said"), RECIPES.values(), ids=RECIPES)
def test_a_damaged_manifest_is_named_by_every_command(
    change: Callable[[Tree], None], said: str, run: Path, capsys: Capture
) -> None:
    damage(run, change)
    before = sorted(path.name for path in run.iterdir())
    for command in (
        ("score", run),
        ("report", run),
        ("compare", run, run),
        ("submit", run, "--team", "T", "--out", run),
        ("judge", run),
    ):
        shown = fails(capsys, *command)
        assert f"{run / 'manifest.json'}: damaged" in shown
        assert said in shown
        assert "restore it from a copy" in shown
    assert sorted(path.name for path in run.iterdir()) == before


@pytest.mark.parametrize("prompts", [None, [], {}, {"system": "s"}, {"tasks": 3}])
def test_damaged_prompts_are_not_submitted(prompts: Any, run: Path, capsys: Capture) -> None:
    damage(run, put("conditions", "prompts", value=prompts))
    said = fails(capsys, "submit", run, "--team", "T", "--out", run)
    assert "the prompts in its conditions cannot be used" in said
    assert not (run / "T_prediction.json").exists()


@pytest.mark.parametrize("frames", [None, [], {"count": -1}])
def test_a_report_does_without_frames_that_it_cannot_cut(frames: Any, run: Path) -> None:
    from fmau.report.strips import strips_of

    damage(run, put("recipe", "frames", value=frames))
    notes: list[str] = []
    assert strips_of(run, (), notes.append) is None
    assert "the report shows no frames" in notes[0]
