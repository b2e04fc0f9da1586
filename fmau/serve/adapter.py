"""An adapter as a server is told of it, once every tensor is known to fit the served model."""

from dataclasses import dataclass
from pathlib import Path

from fmau.families.checkpoint import check_model
from fmau.recipe import ModelBlock
from fmau.serve.adapter_config import RANKS, read_config, refuse_unservable

NAME = "adapter"
"""Name of the served adapter in requests."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter that vLLM will apply in full.

    Attributes:
        folder: folder of the adapter, in PEFT's format.
        max_rank: smallest value in `RANKS` that is not below the adapter's rank.
        vision: True if the adapter also changes the vision tower or the merger.
    """

    folder: Path
    max_rank: int
    vision: bool


def read_adapter(folder: Path, model: ModelBlock) -> Adapter:
    """Read an adapter and compare all its tensors with the model that it is served on.

    Raises:
        RecipeError: the folder has no adapter, the adapter has parts that vLLM cannot apply, or the
            model's configuration cannot be read, or its checkpoint is not whole.
        InputError: tensors that would not be applied; all are listed.
    """
    check_model(model)
    config = read_config(folder)
    refuse_unservable(folder, config)
    from fmau.serve.updates import check_updates  # brings torch

    updates = check_updates(folder, model.path, model.revision)
    fitting = next(rank for rank in RANKS if rank >= config.largest_rank)
    return Adapter(folder, fitting, bool({"vision", "merger"} & updates.layers.keys()))


def adapter_flags(adapter: Adapter) -> list[str]:
    """vLLM arguments that serve the adapter beside the base model."""
    flags = [
        "--enable-lora",
        *("--max-lora-rank", str(adapter.max_rank)),
        *("--lora-modules", f"{NAME}={adapter.folder}"),
    ]
    # Without this flag vLLM drops updates outside the language model, with only a warning.
    return [*flags, "--enable-tower-connector-lora"] if adapter.vision else flags
