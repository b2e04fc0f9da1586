"""Check that vLLM can apply a LoRA adapter, before a server is started with it.

vLLM 0.32 loads adapters in PEFT's format. Some parts of an adapter it cannot apply: it refuses them
late, or it ignores them with only a log line, and then the base model answers in place of the
adapter without an error.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmau.core.errors import RecipeError
from fmau.core.parsing import parse_json

NAME = "adapter"
"""Name of the served adapter in requests."""

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM allows for --max-lora-rank."""

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

_VISION = "model.visual."


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


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter's configuration.

    Raises:
        RecipeError: the folder has no adapter, or the adapter has parts that vLLM cannot apply.
    """
    try:
        config = parse_json((folder / CONFIG).read_text("utf-8"))
    except FileNotFoundError:
        raise RecipeError(
            f"{folder}: no {CONFIG}, so this is not an adapter; give the folder that training "
            "wrote, RUN/adapter"
        ) from None
    except (OSError, ValueError) as error:
        raise RecipeError(f"{folder / CONFIG}: cannot be read: {error}") from None
    if not (folder / WEIGHTS).is_file():
        raise RecipeError(f"{folder}: no {WEIGHTS}; the adapter is incomplete, copy it again")
    _refuse_unsupported(folder, config)
    ranks = [config["r"], *config.get("rank_pattern", {}).values()]
    fitting = [rank for rank in RANKS if rank >= max(ranks)]
    if not fitting:
        raise RecipeError(
            f"{folder}: rank {max(ranks)}, but vLLM's limit is {RANKS[-1]}; merge the adapter into "
            "the model (fmau export --merge)"
        )
    targets = config["target_modules"]
    paths = [targets] if isinstance(targets, str) else targets
    return Adapter(folder, fitting[0], any(_VISION in path for path in paths))


def adapter_flags(adapter: Adapter) -> list[str]:
    """vLLM arguments that serve the adapter beside the base model."""
    flags = [
        "--enable-lora",
        *("--max-lora-rank", str(adapter.max_rank)),
        *("--lora-modules", f"{NAME}={adapter.folder}"),
    ]
    # Without this flag vLLM drops updates outside the language model, with only a warning.
    return [*flags, "--enable-tower-connector-lora"] if adapter.vision else flags


def _refuse_unsupported(folder: Path, config: dict[str, Any]) -> None:
    unsupported = {
        "use_dora": "DoRA",
        "modules_to_save": "modules trained in full",
        "trainable_token_indices": "trained tokens",
    }
    found = [what for key, what in unsupported.items() if config.get(key)]
    if config.get("bias", "none") != "none":
        found.append("trained biases")
    if config.get("peft_type") != "LORA":
        found.append(f"type {config.get('peft_type')}")
    if found:
        raise RecipeError(
            f"{folder}: vLLM cannot apply {' and '.join(found)}; train without, or merge the "
            "adapter into the model (fmau export --merge)"
        )
