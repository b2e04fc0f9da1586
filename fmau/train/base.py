"""Loads the base model for training, in the recipe's number format or in 4 bits."""

from importlib.util import find_spec
from typing import Any

import torch
from peft import prepare_model_for_kbit_training
from transformers import BitsAndBytesConfig

from fmau.core.errors import RecipeError
from fmau.families.load import load_model
from fmau.recipe import Recipe, TrainBlock

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def load_base(recipe: Recipe, train: TrainBlock) -> Any:
    """Load the recipe's model, prepared for training an adapter on it.

    Raises:
        RecipeError: the recipe asks for 4-bit weights, but there is no GPU or no bitsandbytes; or
            the checkpoint is not a whole one of Qwen3-VL (`fmau.families.load`).
    """
    if train.lora.base_4bit and not (torch.cuda.is_available() and find_spec("bitsandbytes")):
        raise RecipeError(
            "train.lora.base_4bit needs an NVIDIA GPU and bitsandbytes: pip install -e '.[qlora]', "
            "or set it to false"
        )
    quantized = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=DTYPES[recipe.model.dtype],
    )
    model: Any = load_model(
        recipe.model.path,
        recipe.model.revision,
        DTYPES[recipe.model.dtype],
        attn_implementation=train.attention,
        quantization_config=quantized if train.lora.base_4bit else None,
    )
    if train.lora.base_4bit:
        return prepare_model_for_kbit_training(
            model, use_gradient_checkpointing=train.gradient_checkpointing
        )
    if train.gradient_checkpointing:
        # The frozen embeddings output tensors that need no gradient. With such inputs, checkpointed
        # layers would not pass gradients back to the adapter.
        model.enable_input_require_grads()
    return model
