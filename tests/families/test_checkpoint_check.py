"""A model that is missing, half copied or out of reach is told at once."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from fmau.core.errors import RecipeError
from fmau.demo.tiny import CHECKPOINT
from fmau.families.checkpoint import check_model, check_reachable
from fmau.families.load import load_config, load_encoder
from fmau.recipe import ModelBlock

WEIGHTS = {"layer.weight": np.ones((4, 8), np.float32), "layer.bias": np.ones(4, np.float32)}


def model(path: Path | str) -> ModelBlock:
    return ModelBlock(path=str(path), dtype="float32")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A folder in the shape of a checkpoint in two shards, as Transformers writes it."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"layer.weight": "a.safetensors", "layer.bias": "b.safetensors"}})
    )
    save_file({"layer.weight": WEIGHTS["layer.weight"]}, tmp_path / "a.safetensors")
    save_file({"layer.bias": WEIGHTS["layer.bias"]}, tmp_path / "b.safetensors")
    return tmp_path


def test_whole_checkpoints_pass(checkpoint: Path) -> None:
    for folder in (checkpoint, CHECKPOINT):
        check_model(model(folder))
        check_reachable(str(folder), None)


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_path_is_not_the_present_folder(path: str) -> None:
    with pytest.raises(RecipeError, match="path is empty"):
        check_model(model(path))


def test_a_file_is_not_a_checkpoint(checkpoint: Path) -> None:
    with pytest.raises(RecipeError, match="safetensors is a file; give the folder"):
        check_model(model(checkpoint / "a.safetensors"))


@pytest.mark.parametrize("kept", [0, 5, 8, 30, -1])
def test_a_shard_that_was_cut_off_is_named(kept: int, checkpoint: Path) -> None:
    content = (checkpoint / "b.safetensors").read_bytes()
    (checkpoint / "b.safetensors").write_bytes(content[:kept])
    with pytest.raises(RecipeError, match=r"b\.safetensors is damaged: it has .* copy or download"):
        check_model(model(checkpoint))


def test_a_pointer_in_place_of_weights_is_named(checkpoint: Path) -> None:
    """What a clone without large files holds."""
    (checkpoint / "a.safetensors").write_text("version 1\noid sha256:0123\nsize 16000000\n")
    with pytest.raises(RecipeError, match=r"a\.safetensors is damaged: it has 40 bytes and no"):
        check_model(model(checkpoint))


def test_a_shard_that_is_missing_is_named(checkpoint: Path) -> None:
    (checkpoint / "b.safetensors").unlink()
    with pytest.raises(RecipeError, match=r"lacks b\.safetensors, which model\.safetensors\.index"):
        check_model(model(checkpoint))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "3"])
def test_half_a_configuration_is_named(name: str, content: str, checkpoint: Path) -> None:
    (checkpoint / name).write_text(content)
    with pytest.raises(RecipeError, match=f"{name} is not JSON as a checkpoint has it"):
        check_model(model(checkpoint))


ASK: dict[str, Callable[[str], object]] = {
    "check": lambda path: check_reachable(path, None),
    "processor": lambda path: load_encoder(model(path)),
    "configuration": lambda path: load_config(path, None),
}


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK)
def test_a_path_that_is_not_there_does_not_wait_for_the_hub(
    ask: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks like a hub name; nothing listens at the hub's address."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    started = time.monotonic()
    with pytest.raises(RecipeError, match=r"no folder checkpoints/qwen.*hub cannot be asked \("):
        ask("checkpoints/qwen")
    assert time.monotonic() - started < 10


def test_a_path_that_no_hub_model_could_have(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"there is no folder .*/gone; correct the path"):
        load_config(str(tmp_path / "gone"), None)


def test_offline_by_choice_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RecipeError, match="HF_HUB_OFFLINE is set"):
        check_reachable("some/model", None)


def test_missing_model_folder(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="there is no folder"):
        check_model(model(tmp_path / "gone"))


def test_a_relative_path_is_told_from_a_hub_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_model(model("Qwen/Qwen3-VL-8B-Instruct"))
    (tmp_path / "runs").mkdir()
    with pytest.raises(RecipeError, match="there is no folder runs/merged"):
        check_model(model("runs/merged"))
    with pytest.raises(RecipeError, match="there is no folder"):
        check_model(model("./Qwen/Qwen3-VL-8B-Instruct"))


def test_incomplete_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no config\.json;"):
        check_model(model(tmp_path))
    (tmp_path / "adapter_config.json").touch()
    with pytest.raises(RecipeError, match="LoRA adapter"):
        check_model(model(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(RecipeError, match="no weights"):
        check_model(model(tmp_path))
    save_file(WEIGHTS, tmp_path / "model.safetensors")
    check_model(model(tmp_path))
