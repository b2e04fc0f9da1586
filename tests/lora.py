"""Adapters in PEFT's format, as training leaves them, for a small model that lies on disk."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from fmau.demo.tiny.model import save_checkpoint
from fmau.recipe import LoraBlock
from fmau.train.adapter import add_adapter
from tests.processors import small_model, small_processor

Q0 = "base_model.model.model.language_model.layers.0.self_attn.q_proj"


def save_base(folder: Path) -> Path:
    """Save the small model with its processor."""
    save_checkpoint(small_model(), small_processor(), folder)
    return folder


def save_adapter(folder: Path, base: Path, **towers: bool) -> Path:
    """Save an adapter for that model; every update of it is in use."""
    model = add_adapter(small_model(), LoraBlock(rank=4, **towers))
    for path, parameter in model.named_parameters():
        if ".lora_B." in path:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    edit_config(folder, base_model_name_or_path=str(base))
    return folder


def edit_config(adapter: Path, **changes: Any) -> None:
    """Put keys into the adapter's configuration."""
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def edit_tensors(adapter: Path, **tensors: torch.Tensor | None) -> None:
    """Put tensors into the adapter's file; None takes one out."""
    path = adapter / "adapter_model.safetensors"
    found = load_file(path) | tensors
    save_file({name: tensor for name, tensor in found.items() if tensor is not None}, path)
