"""Only whole checkpoints of the right architecture are loaded; nothing is filled with noise."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from fmau.core.errors import RecipeError
from fmau.demo.tiny.model import save_checkpoint
from fmau.families.load import load_config, load_model
from fmau.recipe import TrainBlock, TrainDataBlock
from tests.processors import small_model, small_processor
from tests.serve.support import recipe

TABLE = "model.language_model.embed_tokens.weight"
GATE = "model.language_model.layers.0.mlp.gate_proj.weight"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save_checkpoint(small_model(), small_processor(), folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def load(folder: Path) -> Any:
    return load_model(str(folder), None, torch.float32)


def edit_weights(folder: Path, **changes: torch.Tensor | None) -> None:
    """Put tensors into the weight file; None takes one out."""
    path = folder / "model.safetensors"
    stored = load_file(path) | changes
    kept = {name: tensor for name, tensor in stored.items() if tensor is not None}
    save_file(kept, path, metadata={"format": "pt"})


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_a_whole_checkpoint_is_loaded_as_it_was_stored(whole: Path) -> None:
    loaded, stored = load(whole).state_dict(), load_file(whole / "model.safetensors")
    for name, value in stored.items():
        torch.testing.assert_close(loaded[name], value.float(), rtol=0, atol=0)
    assert set(loaded) == set(stored)


def test_a_tied_output_head_need_not_be_stored(copy: Path) -> None:
    """As in Qwen3-VL-2B and -4B; in the others it is missing like any other weight."""
    edit_weights(copy, **{"lm_head.weight": None})
    loaded = load(copy).state_dict()
    assert torch.equal(loaded["lm_head.weight"], loaded[TABLE])
    config = json.loads((copy / "config.json").read_text("utf-8"))
    text = config["text_config"] | {"tie_word_embeddings": False}
    edit_config(copy, tie_word_embeddings=False, text_config=text)
    with pytest.raises(RecipeError, match=r"1 weights of the model are not .*lm_head\.weight"):
        load(copy)


@pytest.mark.parametrize("name", [GATE, "model.visual.merger.linear_fc1.bias"])
def test_a_missing_weight_is_an_error_and_named(copy: Path, name: str) -> None:
    edit_weights(copy, **{name: None})
    with pytest.raises(RecipeError, match=f"1 weights of the model are not .*{name}"):
        load(copy)


def test_a_weight_of_another_shape_is_an_error_and_named(copy: Path) -> None:
    edit_weights(copy, **{GATE: torch.ones(3, 3)})
    with pytest.raises(RecipeError, match=f"another shape there .{GATE}"):
        load(copy)


def test_a_missing_shard_and_a_file_cut_off_are_errors_for_people(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(RecipeError, match=r"weights cannot be loaded \(.*; copy or download"):
        load(copy)
    path.unlink()
    index = {"weight_map": {GATE: "model-00001-of-00002.safetensors"}, "metadata": {}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    with pytest.raises(RecipeError, match="weights cannot be loaded"):
        load(copy)


def test_a_dense_model_is_not_loaded_as_a_mixture_of_experts(copy: Path) -> None:
    """Its attention layers have the same names and shapes, so only the MLPs would be random."""
    edit_config(copy, model_type="qwen3_vl_moe")
    with pytest.raises(RecipeError, match=r"weights of the model are not in the checkpoint"):
        load(copy)


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_other_architectures_are_refused(copy: Path, kind: str) -> None:
    edit_config(copy, model_type=kind, architectures=[])
    with pytest.raises(RecipeError, match=f"its type is {kind}, which fmau does not know; it know"):
        load_config(str(copy), None)


def test_an_architecture_that_nobody_knows_is_refused(copy: Path) -> None:
    edit_config(copy, model_type="unheard_of")
    with pytest.raises(RecipeError, match="its configuration cannot be read"):
        load_config(str(copy), None)


@pytest.mark.parametrize(
    "content",
    [
        "null",
        "3",
        "[]",
        "{",
        '{"model_type": null}',
        '{"model_type": "qwen3_vl", "text_config": 3}',
        '{"model_type": "qwen3_vl", "text_config": {"hidden_size": "x"}}',
    ],
)
def test_a_damaged_configuration_is_an_error_for_people(copy: Path, content: str) -> None:
    (copy / "config.json").write_text(content, "utf-8")
    with pytest.raises(RecipeError, match="its configuration cannot be read"):
        load_config(str(copy), None)


def test_training_and_merging_load_whole_checkpoints_only(copy: Path, tmp_path: Path) -> None:
    from fmau.train.base import load_base
    from fmau.train.export.merge import merge

    train = TrainBlock(
        data=TrainDataBlock(
            captions=Path("c.json"), clips=Path("clips"), cache=Path("cache"), benchmarks=()
        ),
        mixture={"caption": 1},
    )
    edit_weights(copy, **{GATE: None})
    with pytest.raises(RecipeError, match="1 weights of the model"):
        load_base(recipe(model={"path": str(copy), "dtype": "float32"}), train)
    with pytest.raises(RecipeError, match="1 weights of the model"):
        merge(tmp_path / "adapter", str(copy), None, torch.float32, tmp_path / "merged")
