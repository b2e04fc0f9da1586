"""An adapter merged into its base model: one ordinary checkpoint, served at full speed."""

from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoProcessor, Qwen3VLForConditionalGeneration

from fmau.core.errors import RunError


def merge(adapter: Path, base: str, revision: str | None, dtype: torch.dtype, out: Path) -> None:
    """Write base model + adapter as a checkpoint.

    Sums are taken in float32, then stored as `dtype`. In bfloat16 a weight keeps 8 binary digits,
    so the merged model answers like the adapted one up to this rounding; in float32 it is equal.

    Args:
        adapter: folder in PEFT's format, checked (`fmau.train.export.check_updates`).
        base: folder or hub name of the model it was trained on.
        revision: of a hub model.
        out: folder that does not exist yet, or is empty.

    Raises:
        RunError: `out` has files in it, or cannot be written.
    """
    if out.exists() and any(out.iterdir()):
        raise RunError(f"{out}: has files in it already; give another folder with --out")
    model = Qwen3VLForConditionalGeneration.from_pretrained(
        base, revision=revision, dtype=torch.float32
    )
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().to(dtype)
    processor = AutoProcessor.from_pretrained(base, revision=revision)
    try:
        merged.save_pretrained(out)
        processor.save_pretrained(out)
    except OSError as error:
        raise RunError(f"{out}: cannot be written: {error}") from error
