"""Merges an adapter into its base model, for `fmau export --merge`.

The result is an ordinary checkpoint, which a server runs without the cost of an adapter.
"""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoProcessor

from fmau.core.errors import InputError, Problem, RecipeError, RunError, first_line
from fmau.families.layers import family_in
from fmau.families.load import load_model
from fmau.serve.adapter_config import WEIGHTS


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
        RunError: PEFT cannot merge the adapter, or `out` cannot be written.
        InputError: tensors that PEFT would leave out; all are listed.
        RecipeError: the base model is not a whole checkpoint, or cannot be written in a form that
            servers load.
    """
    model = load_model(base, revision, torch.float32, called="base model")
    kind = model.config.model_type
    if kind in family_in(model).unmergeable:
        raise RecipeError(
            f"base model {base}: Transformers writes models of type {kind} in a form that vLLM "
            "cannot load; serve the adapter beside its base model instead: fmau answer --adapter"
        )
    try:
        merged = _with_all_tensors(model, adapter).merge_and_unload().to(dtype)
    except (RuntimeError, ValueError) as error:  # as PEFT says that shapes or parts do not fit
        raise RunError(
            f"{adapter}: PEFT cannot merge it into {base}: {first_line(error)}; give the model it "
            "was trained on with --base, or train without this part"
        ) from None
    processor = AutoProcessor.from_pretrained(base, revision=revision, trust_remote_code=False)
    try:
        merged.save_pretrained(out)
        processor.save_pretrained(out)
    except (OSError, SafetensorError) as error:  # the latter is what a full disk gives
        raise RunError(
            f"{out}: cannot be written: {first_line(error)}; make room on the disk, then start the "
            "same command again"
        ) from error


def _with_all_tensors(model: Any, adapter: Path) -> PeftModel:
    """Apply an adapter. PEFT only warns of a tensor without a place, and of a place without one."""
    adapted = PeftModel.from_pretrained(model, str(adapter))
    loaded = adapted.load_adapter(str(adapter), "default")  # only a second loading tells of them
    remedy = "copy both files of the adapter from the same training run"
    problems = [
        Problem(f"{adapter / WEIGHTS}: {name}", what, remedy)
        for names, what in (
            (loaded.unexpected_keys, "would be left out: the configuration names no such layer"),
            (loaded.missing_keys, "missing, although the configuration names its layer"),
        )
        for name in names
    ]
    if problems:
        raise InputError(problems)
    return adapted
