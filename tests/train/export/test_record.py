"""A damaged training.yaml is an error with its key, wherever `fmau export` reads from it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fmau.core.errors import RunError
from fmau.runs.manifest import Session
from fmau.serve.updates import Updates
from fmau.train.export import export_adapter
from fmau.train.export.card import write_card
from fmau.train.record import TrainingRecord, read_record

MODEL = {"path": "m", "dtype": "float32"}


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """An adapter's folder with a record; its tensors are not read before the record."""
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    TrainingRecord(
        recipe={"name": "lora_x", "model": MODEL},
        recipe_hash="0" * 64,
        files={"captions.json": "abc" * 20},
        clips=40,
        examples={"CMAR": 1200},
        processes=2,
        steps=31,
        best_step=20,
        validation={"closed_accuracy": 61.25},
        session=Session.start("train"),
    ).save(tmp_path)
    return tmp_path


def edit(adapter: Path, **changes: Any) -> None:
    path = adapter / "training.yaml"
    tree = yaml.safe_load(path.read_text("utf-8")) | changes
    path.write_text(yaml.safe_dump(tree), "utf-8")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("recipe", None),
        ("recipe", []),
        ("recipe", {}),
        ("recipe", {"name": "x"}),
        ("recipe", {"model": MODEL}),
        ("recipe", {"name": 3, "model": MODEL}),
        ("recipe", {"name": "x", "model": None}),
        ("recipe", {"name": "x", "model": "m"}),
        ("recipe", {"name": "x", "model": {"path": None, "dtype": "float32"}}),
        ("recipe", {"name": "x", "model": {"path": "m"}}),
        ("recipe", {"name": "x", "model": {"path": "m", "dtype": "device"}}),
        ("recipe", {"name": "x", "model": MODEL | {"revision": 1}}),
        ("files", ["captions.json"]),
        ("clips", "many"),
        ("examples", {"CMAR": None}),
        ("validation", {"score": "high"}),
        ("session", None),
        ("session", {"stage": "train"}),
        ("steps", {}),
        ("more", 1),
    ],
)
@pytest.mark.parametrize("merged", [False, True])
def test_a_damaged_key_is_named(
    adapter: Path, tmp_path: Path, key: str, value: Any, merged: bool
) -> None:
    edit(adapter, **{key: value})
    merge_to = tmp_path / "merged" if merged else None
    with pytest.raises(RunError, match=rf"training\.yaml: damaged \({key}.*restore it"):
        export_adapter(adapter, merge_to=merge_to, scores={})


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"3", b"recipe: [", b"\xff\xfe", b"[" * 100_000, b"a: &a [*a]", b"- 2026-99-99"],
    ids=range(8),
)
def test_a_record_that_is_not_a_tree_of_keys_is_an_error(adapter: Path, content: bytes) -> None:
    (adapter / "training.yaml").write_bytes(content)
    with pytest.raises(RunError, match=r"training\.yaml: (damaged|cannot be read)"):
        export_adapter(adapter, scores={})


@pytest.mark.parametrize("git", [None, {}, {"revision": None}, {"revision": 7, "more": []}])
def test_the_card_is_written_whatever_is_known_of_the_code(adapter: Path, git: Any) -> None:
    session = yaml.safe_load((adapter / "training.yaml").read_text("utf-8"))["session"]
    edit(adapter, session=session | {"git": git})
    card = write_card(
        adapter,
        base="m",
        revision=None,
        merged=False,
        updates=Updates({}, {}, 0),
        record=read_record(adapter),
        runs={},
    )
    assert "Made with fmau" in card.read_text("utf-8")
