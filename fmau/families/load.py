"""A checkpoint's processor, loaded with an error for people."""

from typing import TYPE_CHECKING

from fmau.core.errors import RecipeError, first_line
from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.recipe import ModelBlock

if TYPE_CHECKING:
    from transformers import Qwen3VLProcessor


def load_processor(model: ModelBlock) -> "Qwen3VLProcessor":
    """The tokenizer, chat template and pixel rules of a checkpoint.

    Raises:
        RecipeError: they cannot be loaded.
    """
    ensure_torchvision()
    from transformers import AutoProcessor

    try:
        processor: Qwen3VLProcessor = AutoProcessor.from_pretrained(
            model.path, revision=model.revision
        )
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"model.path {model.path}: the tokenizer or processor cannot be loaded "
            f"({first_line(error)}); copy or download the checkpoint completely"
        ) from None
    return processor
