"""What QLoRA stores in 4 bits, as far as it can be seen without a GPU."""

from typing import Any

import pytest
import torch
from torch import nn
from transformers.quantizers.quantizers_utils import should_convert_module

from fmau.families.find import of_type
from fmau.families.layers import skeleton
from fmau.recipe import load_recipe
from fmau.train.base import linear_in_4bit, load_base
from fmau.train.plan import stored_bytes
from tests.processors import small_model
from tests.train.real_models import QWEN3_VL_8B

QLORA = load_recipe("qlora_qwen3_vl_8b_24gb")


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The model that `load_base` returns with its settings for Transformers; nothing is loaded."""
    given: dict[str, Any] = {}

    def load_model(*_: Any, **arguments: Any) -> nn.Module:
        given.update(arguments)
        model = small_model().to(torch.bfloat16)
        model.is_loaded_in_4bit = True
        return model

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("fmau.train.base.find_spec", lambda name: True)
    monkeypatch.setattr("fmau.train.base.load_model", load_model)
    monkeypatch.setattr("fmau.train.base.family_of", lambda _: of_type("qwen3_vl", "the test"))
    assert QLORA.train is not None
    model = load_base(QLORA, QLORA.train)
    return given | {"model": model}


def test_what_is_not_in_4_bits_stays_in_the_recipes_format(loaded: dict[str, Any]) -> None:
    assert {parameter.dtype for parameter in loaded["model"].parameters()} == {torch.bfloat16}


def test_transformers_leaves_out_the_vision_tower_and_the_head(loaded: dict[str, Any]) -> None:
    skipped = loaded["quantization_config"].llm_int8_skip_modules
    model = skeleton(QWEN3_VL_8B)
    linear = [path for path, module in model.named_modules() if isinstance(module, nn.Linear)]
    chosen = [path for path in linear if should_convert_module(path, skipped)]
    assert chosen == linear_in_4bit(model)
    assert len(chosen) == 36 * 7
    assert {path.split(".layers.")[0] for path in chosen} == {"model.language_model"}


def test_the_plan_counts_the_weights_as_they_are_stored() -> None:
    """8.77 billion parameters: 6.95 in the language model's layers, the rest takes 2 bytes each."""
    assert QLORA.train is not None
    expected = 0.56 * 6.95e9 + 2 * (8.77e9 - 6.95e9)
    assert stored_bytes(QWEN3_VL_8B, QLORA.train, 2) == pytest.approx(expected, rel=0.01)
    whole = load_recipe("lora_qwen3_vl_8b_mixture").train
    assert whole is not None
    assert stored_bytes(QWEN3_VL_8B, whole, 2) == pytest.approx(17.5e9, rel=0.01)
