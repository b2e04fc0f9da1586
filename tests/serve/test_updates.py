"""Every tensor of an adapter is held against the model; what would be ignored is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from fmau.core.errors import InputError, RecipeError
from fmau.families.layers import linear_layers
from fmau.recipe import LoraBlock
from fmau.serve.updates import check_updates
from fmau.train.adapter import add_adapter, targets
from tests.lora import Q0, edit_tensors, save_adapter, save_base
from tests.processors import small_model

BARE = "base_model.model.model.layers.0.self_attn.q_proj"
"""As PEFT names the layers of a bare causal language model: a server ignores them."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    """An adapter on all towers, every update of it in use."""
    return save_adapter(tmp_path / "adapter", base, vision=True, merger=True)


def test_a_trained_adapter_passes_and_is_counted(base: Path, adapter: Path) -> None:
    updates = check_updates(adapter, str(base), None)
    model = small_model()
    for name in ("language", "vision", "merger"):
        only = {"language": False, name: True}
        assert updates.layers[name] == len(targets(model, LoraBlock(**only)))
    tensors = load_file(adapter / "adapter_model.safetensors")
    assert sum(updates.parameters.values()) == sum(t.numel() for t in tensors.values())
    assert updates.idle == 0


def test_shapes_are_those_of_the_weights(base: Path) -> None:
    stored = load_file(base / "model.safetensors")
    tables = ("pos_embed.weight", "embed_tokens.weight")
    assert linear_layers(str(base), None).shapes == {
        name.removesuffix(".weight"): tuple(value.shape)
        for name, value in stored.items()
        if value.ndim == 2 and not name.endswith(tables)
    }


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (
            {
                f"{BARE}.lora_A.weight": torch.ones(4, 192),
                f"{BARE}.lora_B.weight": torch.ones(192, 4),
            },
            "names no linear layer of the base model",
        ),
        ({f"{Q0}.lora_B.weight": None}, "lacks its counterpart"),
        ({f"{Q0}.lora_A.weight": torch.ones(4, 7)}, r"shape \(4, 7\), but the layer is 192 x 192"),
        ({f"{Q0}.lora_A.weight": torch.ones(192)}, r"shape \(192,\), but the layer is 192 x 192"),
        ({f"{Q0}.lora_A.weight": torch.ones(8, 192)}, "has rank 8, but .* gives this layer rank 4"),
        ({f"{Q0}.lora_B.weight": torch.ones(192, 1)}, "has rank 1, but .* gives this layer rank 4"),
        ({f"{Q0}.lora_A.weight": torch.full((4, 192), torch.nan)}, "not finite"),
        ({f"{Q0}.lora_magnitude_vector": torch.ones(192)}, "is not a LoRA matrix"),
        (
            {
                "base_model.model.lm_head.lora_A.weight": torch.ones(4, 192),
                "base_model.model.lm_head.lora_B.weight": torch.ones(600, 4),
            },
            "belongs to a part of the model that servers cannot adapt",
        ),
    ],
)
def test_what_would_be_ignored_is_refused(
    base: Path, adapter: Path, tensors: dict[str, Any], said: str
) -> None:
    edit_tensors(adapter, **tensors)
    with pytest.raises(InputError, match=said):
        check_updates(adapter, str(base), None)


def test_an_untrained_adapter_is_refused(base: Path, tmp_path: Path) -> None:
    model = add_adapter(small_model(), LoraBlock(rank=4))
    model.save_pretrained(tmp_path / "adapter")
    with pytest.raises(InputError, match="every update is zero"):
        check_updates(tmp_path / "adapter", str(base), None)


def test_a_damaged_file_and_a_missing_or_foreign_base_are_named(
    base: Path, adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r"base model: .*nowhere"):
        check_updates(adapter, str(tmp_path / "nowhere"), None)
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text(json.dumps({"model_type": "bert"}), "utf-8")
    with pytest.raises(RecipeError, match=r"its type is bert, which fmau does not know; .*; give"):
        check_updates(adapter, str(tmp_path / "bert"), None)
    path = adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read"):
        check_updates(adapter, str(base), None)
