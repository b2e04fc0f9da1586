"""Merges an adapter into its base model, for `fmau export --merge`.

The result is an ordinary checkpoint, which a server runs without the cost of an adapter.
"""

from pathlib import Path

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoProcessor

from fmau.core.errors import RunError, first_line
from fmau.families.load import load_model


def merge(adapter: Path, base: str, revision: str | None, dtype: torch.dtype, out: Path) -> None:
    """Add the adapter's updates to the base model's weights and save the result as a checkpoint.

    The sums are computed in float32, then stored as `dtype`. In float32 the merged model equals the
    adapted one; in bfloat16 each weight is rounded to 8 significant bits.

    Args:
        adapter: folder in PEFT's format, checked (`fmau.serve.updates.check_updates`).
        base: folder or hub name of the model that the adapter was trained on.
        revision: revision of a hub model; None for its newest.
        dtype: number format of the stored weights.
        out: an empty folder.

    Raises:
        RunError: `out` cannot be written.
        RecipeError: the base model is not a whole checkpoint.
    """
    model = load_model(base, revision, torch.float32, called="base model")
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().to(dtype)
    processor = AutoProcessor.from_pretrained(base, revision=revision)
    try:
        merged.save_pretrained(out)
        processor.save_pretrained(out)
    except (OSError, SafetensorError) as error:  # the latter is what a full disk gives
        raise RunError(
            f"{out}: cannot be written: {first_line(error)}; make room on the disk, then start the "
            "same command again"
        ) from error
