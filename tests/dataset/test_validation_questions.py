"""A recipe that holds clips out for validation has something to ask about them."""

import json
from pathlib import Path
from typing import Any

import pytest

from fmau.core.errors import InputError, RecipeError
from fmau.core.taxonomy import actions
from fmau.dataset.captions import FIELDS
from fmau.dataset.examples.example import Example
from fmau.dataset.training import TrainingData, load_training_data, require_validation
from fmau.recipe import Recipe, load_recipe
from tests.question_rows import write_questions

UNLABELLED = "Something happens."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Captions of eight people with a label each, and of eight without; one dialogue."""
    write_questions(tmp_path / "questions.json", ["other"])
    for name, labelled in (("labelled", True), ("bare", False)):
        rows = []
        for number, action in enumerate(actions()[:8]):
            label = {"coarse": action.part, "fine": action.label} if labelled else {}
            caption = dict.fromkeys(FIELDS, UNLABELLED)
            rows.append(
                {"video": f"c{number}", "participant": f"p{number}", "caption": caption} | label
            )
        (tmp_path / f"{name}.json").write_text(json.dumps(rows), "utf-8")
    turns = [
        {"role": "user", "content": "<video>What is seen?"},
        {"role": "assistant", "content": UNLABELLED},
    ]
    row = {"messages": turns, "videos": ["d.mp4"]}
    (tmp_path / "dialogues.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    return tmp_path


def recipe(folder: Path, data: dict[str, Any], *settings: str) -> Recipe:
    for key in ("captions", "dialogues"):
        if key in data:
            data[key] = str(folder / data[key])
    data |= {"clips": "x", "cache": "y", "benchmarks": [str(folder / "questions.json")]}
    usual = ["train.mixture={caption: 1}", f"train.data={json.dumps(data)}"]
    return load_recipe("lora_tiny", [*usual, *settings])


def validation(checked: Recipe) -> int:
    assert checked.train is not None
    return len(load_training_data(checked.train).validation)


NO_QUESTIONS = ("train.validation_examples=0", "train.validation_replies=0")


def test_a_recipe_that_wants_no_questions_needs_no_validation_clips(folder: Path) -> None:
    with pytest.raises(RecipeError, match="train: validation would ask nothing: set validation_ex"):
        recipe(folder, {"captions": "labelled.json"}, *NO_QUESTIONS)
    data = {"captions": "labelled.json", "validation_share": 0}
    assert validation(recipe(folder, data, *NO_QUESTIONS)) == 0
    for one_kind in NO_QUESTIONS:
        assert validation(recipe(folder, {"captions": "labelled.json"}, one_kind)) > 0


def test_patience_needs_validations(folder: Path) -> None:
    data = {"captions": "labelled.json", "validation_share": 0}
    with pytest.raises(RecipeError, match="train: patience counts validations, but data"):
        recipe(folder, data, "train.patience=2")
    assert recipe(folder, {"captions": "labelled.json"}, "train.patience=2")


def test_dialogues_alone_are_learned_without_validation(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r"train\.data: validation asks questions that only cap"):
        recipe(folder, {"dialogues": "dialogues.jsonl"})
    checked = recipe(folder, {"dialogues": "dialogues.jsonl", "validation_share": 0})
    assert validation(checked) == 0
    assert checked.train is not None
    assert load_training_data(checked.train).counts() == {"dialogue": 1}


def test_captions_that_yield_no_question_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"yield 0 closed question\(s\) and 0 for a full reply"):
        validation(recipe(folder, {"captions": "bare.json"}))
    assert validation(recipe(folder, {"captions": "bare.json", "validation_share": 0})) == 0


@pytest.mark.parametrize(
    ("view", "wanted"),
    [("CMAR", "train.validation_examples"), ("MARE", "train.validation_replies")],
)
def test_questions_of_the_wanted_kind_are_needed(folder: Path, view: str, wanted: str) -> None:
    example = Example("c0", view, "What is seen?", UNLABELLED)
    data = TrainingData(train=(example,), validation=(example,), skipped={})
    usual = recipe(folder, {"captions": "labelled.json"}).train
    without = recipe(folder, {"captions": "labelled.json"}, f"{wanted}=0").train
    assert usual is not None
    assert without is not None
    require_validation(usual, data)
    with pytest.raises(InputError, match="the held-out clips yield"):
        require_validation(without, data)
