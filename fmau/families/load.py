"""Loads a checkpoint's processor, for training and `fmau check`."""

from typing import TYPE_CHECKING

from fmau.core.errors import RecipeError, first_line
from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.families.checkpoint import check_reachable
from fmau.recipe import ModelBlock

if TYPE_CHECKING:
    from transformers import Qwen3VLProcessor


def load_processor(model: ModelBlock) -> "Qwen3VLProcessor":
    """Load the processor of a checkpoint: tokenizer, chat template and pixel settings.

    Raises:
        RecipeError: the checkpoint is not there or not whole, or a part of it cannot be loaded.
    """
    check_reachable(model)
    ensure_torchvision()
    from transformers import AutoProcessor

    try:
        processor: Qwen3VLProcessor = AutoProcessor.from_pretrained(
            model.path, revision=model.revision
        )
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"model.path {model.path}: the tokenizer or processor cannot be loaded "
            f"({first_line(error)}); copy or download all files of the checkpoint again"
        ) from None
    return processor
