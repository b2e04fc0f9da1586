"""Loads the parts of a checkpoint: configuration, processor, weights.

Transformers only warns if a checkpoint lacks weights of the model: it draws random numbers for
them. Here that is an error.
"""

from typing import TYPE_CHECKING, Any

from fmau.core.errors import RecipeError, first_line
from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.families.checkpoint import check_model, check_reachable
from fmau.families.family import Family
from fmau.families.find import family_of, of_type
from fmau.recipe import ModelBlock

if TYPE_CHECKING:
    from torch import dtype as Dtype

    from fmau.families.encode import Encoder

SHOWN_WEIGHTS = 3
"""Number of missing weights that an error text names."""

_COPY = "copy or download all files of the checkpoint again"


def load_config(
    path: str,
    revision: str | None,
    *,
    called: str = "model.path",
    remedy: str = "",
) -> Any:
    """Load the configuration of a checkpoint, as Transformers' class for its type.

    Args:
        path: folder or hub name of the checkpoint.
        revision: revision of a hub model; None for its newest.
        called, remedy: what the user calls the checkpoint and what to do, for error texts.

    Raises:
        RecipeError: the configuration cannot be read, or it is of a family that fmau does not know.
    """
    check_reachable(path, revision, called=called)
    ensure_torchvision()
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    try:
        # Without a False, Transformers asks on the terminal whether to run the folder's own code.
        config = AutoConfig.from_pretrained(path, revision=revision, trust_remote_code=False)
    # The last two are what Transformers raises for trees of other types.
    except (OSError, ValueError, TypeError, StrictDataclassError) as error:
        raise RecipeError(
            f"{called} {path}: its configuration cannot be read ({first_line(error)}); "
            f"{remedy or _COPY}"
        ) from None
    of_type(config.model_type, f"{called} {path}", remedy)
    return config


def load_model(
    path: str,
    revision: str | None,
    dtype: "Dtype",
    *,
    called: str = "model.path",
    **settings: Any,
) -> Any:
    """Load a checkpoint with all its weights.

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
    from transformers import AutoModelForMultimodalLM

    try:
        model, found = AutoModelForMultimodalLM.from_pretrained(
            path,
            revision=revision,
            trust_remote_code=False,
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


def load_encoder(model: ModelBlock, family: Family | None = None) -> "Encoder":
    """Load the processor of a checkpoint: tokenizer, chat template and pixel settings.

    Args:
        family: the checkpoint's family; None to find it.

    Raises:
        RecipeError: the checkpoint is not there or not whole, a part of it cannot be loaded, or it
            is of a family that fmau does not know.
    """
    check_model(model)
    check_reachable(model.path, model.revision)
    family = family or family_of(model)
    ensure_torchvision()
    from transformers import AutoProcessor

    from fmau.families.encode import Encoder  # brings torch

    try:
        processor = AutoProcessor.from_pretrained(
            model.path, revision=model.revision, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"model.path {model.path}: the tokenizer or processor cannot be loaded "
            f"({first_line(error)}); {_COPY}"
        ) from None
    return Encoder(family, processor)
