"""Merges an adapter into its base model, for `fmau export --merge`.

The result is an ordinary checkpoint, which a server runs without the cost of an adapter.
"""

from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoProcessor

from fmau.core.errors import RunError
from fmau.families.load import load_model


def merge(adapter: Path, base: str, revision: str | None, dtype: torch.dtype, out: Path) -> None:
    """Add the adapter's updates to the base model's weights and save the result as a checkpoint.

    The sums are computed in float32, then stored as `dtype`. In float32 the merged model equals the
    adapted one; in bfloat16 each weight is rounded to 8 significant bits.

    Args:
        adapter: folder in PEFT's format, checked (`fmau.train.export.keys.check_updates`).
        base: folder or hub name of the model that the adapter was trained on.
        revision: revision of a hub model; None for its newest.
        dtype: number format of the stored weights.
        out: a folder that does not exist yet, or is empty.

    Raises:
        RunError: `out` is not empty, or cannot be written.
        RecipeError: the base model is not a whole checkpoint.
    """
    if out.exists() and any(out.iterdir()):
        raise RunError(f"{out}: the folder is not empty; give another folder with --out")
    model = load_model(base, revision, torch.float32, called="base model")
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().to(dtype)
    processor = AutoProcessor.from_pretrained(base, revision=revision)
    try:
        merged.save_pretrained(out)
        processor.save_pretrained(out)
    except OSError as error:
        raise RunError(f"{out}: cannot be written: {error}") from error
