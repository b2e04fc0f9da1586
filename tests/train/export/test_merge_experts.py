"""Mixtures of experts are not merged: what Transformers would write, vLLM would not load."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fmau.core.errors import RecipeError
from fmau.families.load import load_model
from fmau.train.export.merge import merge
from tests.families.checkpoints import qwen3_vl_moe

EXPERTS = "model.language_model.layers.0.mlp.experts.gate_up_proj"


def test_merging_is_refused_because_weights_would_change_their_form(tmp_path: Path) -> None:
    base = qwen3_vl_moe(tmp_path / "base")
    load_model(str(base), None, torch.float32).save_pretrained(tmp_path / "saved")
    shapes = [load_file(folder / "model.safetensors")[EXPERTS].shape
              for folder in (base, tmp_path / "saved")]  # fmt: skip
    assert shapes[0] != shapes[1], "Transformers keeps the published form now: allow merging"
    with pytest.raises(RecipeError, match="vLLM cannot load; serve the adapter beside its base"):
        merge(tmp_path / "adapter", str(base), None, torch.float32, tmp_path / "out")
