"""Loads the base model for training, in the recipe's number format or in 4 bits."""

from importlib.util import find_spec
from typing import Any

import torch
from torch import nn
from transformers import BitsAndBytesConfig

from fmau.core.errors import RecipeError
from fmau.families.family import Family
from fmau.families.find import family_of
from fmau.families.layers import family_in
from fmau.families.load import load_model
from fmau.recipe import Recipe, TrainBlock

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def not_in_4bit(family: Family) -> list[str]:
    """Paths of the parts that QLoRA leaves as they are: the head, as usual, and the vision tower,
    whose features are reported to suffer in 4 bits."""
    return [*family.vision_parts, "lm_head"]


def linear_in_4bit(model: Any) -> list[str]:
    """Paths of the linear layers whose weights QLoRA stores in 4 bits."""
    kept = tuple(not_in_4bit(family_in(model)))
    return [
        path
        for path, module in model.named_modules()
        if isinstance(module, nn.Linear) and not path.startswith(kept)
    ]


def quantization(dtype: str, family: Family) -> BitsAndBytesConfig:
    """How QLoRA stores and computes the weights of a model.

    Args:
        dtype: number format of the computation.
    """
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=DTYPES[dtype],
        llm_int8_skip_modules=not_in_4bit(family),  # for 4 bits too, in spite of its name
    )


def load_base(recipe: Recipe, train: TrainBlock) -> Any:
    """Load the recipe's model, prepared for training an adapter on it.

    Raises:
        RecipeError: the recipe asks for 4-bit weights, but there is no GPU or no bitsandbytes; or
            the checkpoint is not whole, or of a family that fmau does not know.
    """
    if train.lora.base_4bit and not (torch.cuda.is_available() and find_spec("bitsandbytes")):
        raise RecipeError(
            "train.lora.base_4bit needs an NVIDIA GPU and bitsandbytes: pip install -e '.[qlora]', "
            "or set it to false"
        )
    model: Any = load_model(
        recipe.model.path,
        recipe.model.revision,
        DTYPES[recipe.model.dtype],
        attn_implementation=train.attention,
        quantization_config=quantization(recipe.model.dtype, family_of(recipe.model))
        if train.lora.base_4bit
        else None,
    )
    # PEFT's prepare_model_for_kbit_training is not used: it would turn all that is not in 4 bits
    # (embeddings, head, vision tower) into float32, 3.6 GB more for an 8B model. Everything else
    # that it does is done here and by `add_adapter`.
    if train.gradient_checkpointing:
        # The frozen embeddings output tensors that need no gradient. With such inputs, checkpointed
        # layers would not pass gradients back to the adapter.
        model.enable_input_require_grads()
    return model
