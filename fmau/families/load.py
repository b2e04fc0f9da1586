"""Loads the parts of a checkpoint: configuration, processor, weights.

Transformers only warns if a checkpoint lacks weights of the model: it draws random numbers for
them. It also loads a checkpoint of another architecture in this way. Here both are errors.
"""

from typing import TYPE_CHECKING, Any

from fmau.core.errors import RecipeError, first_line
from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.families.checkpoint import check_model, check_reachable
from fmau.recipe import ModelBlock

if TYPE_CHECKING:
    from torch import dtype as Dtype
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLProcessor

SHOWN_WEIGHTS = 3
"""Number of missing weights that an error text names."""

_COPY = "copy or download all files of the checkpoint again"


def load_config(
    path: str,
    revision: str | None,
    *,
    called: str = "model.path",
    remedy: str = "give a dense Qwen3-VL checkpoint, such as Qwen3-VL-8B",
) -> "Qwen3VLConfig":
    """Load the configuration of a Qwen3-VL checkpoint.

    Args:
        path: folder or hub name of the checkpoint.
        revision: revision of a hub model; None for its newest.
        called, remedy: what the user calls the checkpoint and what to do, for error texts.

    Raises:
        RecipeError: the configuration cannot be read, or it is of another architecture; one with
            mixtures of experts is another one too.
    """
    check_reachable(path, revision, called=called)
    ensure_torchvision()
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, Qwen3VLConfig

    try:
        # Without a False, Transformers asks on the terminal whether to run the folder's own code.
        config = AutoConfig.from_pretrained(path, revision=revision, trust_remote_code=False)
    # The last two are what Transformers raises for trees of other types.
    except (OSError, ValueError, TypeError, StrictDataclassError) as error:
        raise RecipeError(
            f"{called} {path}: its configuration cannot be read ({first_line(error)}); {remedy}"
        ) from None
    if not isinstance(config, Qwen3VLConfig):
        raise RecipeError(
            f"{called} {path}: its type is {config.model_type}, not Qwen3-VL; {remedy}"
        )
    return config


def load_model(
    path: str,
    revision: str | None,
    dtype: "Dtype",
    *,
    called: str = "model.path",
    **settings: Any,
) -> "Qwen3VLForConditionalGeneration":
    """Load a Qwen3-VL checkpoint with all its weights.

    Args:
        path, revision, called: as for `load_config`.
        dtype: number format of the weights in memory.
        settings: further arguments of Transformers' `from_pretrained`.

    Raises:
        RecipeError: as for `load_config`; or a weight file is missing or damaged, or lacks weights
            of the model or has them with other shapes.
    """
    load_config(path, revision, called=called)
    from safetensors import SafetensorError
    from transformers import Qwen3VLForConditionalGeneration

    try:
        model, found = Qwen3VLForConditionalGeneration.from_pretrained(
            path,
            revision=revision,
            dtype=dtype,
            # So that other shapes are reported like missing weights, not as a RuntimeError.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **settings,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise RecipeError(
            f"{called} {path}: the weights cannot be loaded ({first_line(error)}); {_COPY}"
        ) from None
    absent = sorted({*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])})
    if absent:
        more = ", ..." if len(absent) > SHOWN_WEIGHTS else ""
        raise RecipeError(
            f"{called} {path}: {len(absent)} weights of the model are not in the checkpoint or "
            f"have another shape there ({', '.join(absent[:SHOWN_WEIGHTS])}{more}); {_COPY}"
        )
    return model


def load_processor(model: ModelBlock) -> "Qwen3VLProcessor":
    """Load the processor of a checkpoint: tokenizer, chat template and pixel settings.

    Raises:
        RecipeError: the checkpoint is not there or not whole, or a part of it cannot be loaded.
    """
    check_model(model)
    check_reachable(model.path, model.revision)
    ensure_torchvision()
    from transformers import AutoProcessor

    try:
        processor: Qwen3VLProcessor = AutoProcessor.from_pretrained(
            model.path, revision=model.revision, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"model.path {model.path}: the tokenizer or processor cannot be loaded "
            f"({first_line(error)}); {_COPY}"
        ) from None
    return processor
