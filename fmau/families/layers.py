"""The linear layers of a Qwen3-VL model, and the towers that they belong to.

Training chooses from them what to adapt; serving and export check adapters against them.
"""

from typing import TYPE_CHECKING

from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.families.load import load_config

if TYPE_CHECKING:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

TOWERS = {
    "language": ("model.language_model.layers.",),
    "vision": ("model.visual.blocks.",),
    "merger": ("model.visual.merger.", "model.visual.deepstack_merger_list."),
}
"""Tower -> prefixes of the paths of its modules. The names are those of `LoraBlock`'s switches."""


def tower(path: str) -> str | None:
    """The tower of a module or parameter of the base model; None if it belongs to none.

    >>> tower("model.visual.deepstack_merger_list.0.linear_fc1")
    'merger'
    """
    return next((name for name, starts in TOWERS.items() if path.startswith(starts)), None)


def skeleton(config: "Qwen3VLConfig") -> "Qwen3VLForConditionalGeneration":
    """Build the model of a configuration without weights: on the meta device, using no memory."""
    ensure_torchvision()
    import torch
    from transformers import Qwen3VLForConditionalGeneration

    with torch.device("meta"):
        return Qwen3VLForConditionalGeneration(config)


def linear_shapes(base: str, revision: str | None) -> dict[str, tuple[int, int]]:
    """Path -> (outputs, inputs) of every linear layer of a model; no weights are loaded.

    Args:
        base: folder or hub name of the base model of an adapter.
        revision: revision of a hub model; None for its newest.

    Raises:
        RecipeError: the configuration cannot be read, or it is not a Qwen3-VL model.
    """
    config = load_config(
        base,
        revision,
        called="base model",
        remedy="give the Qwen3-VL model that the adapter was trained on: model.path of the recipe, "
        "or --base of fmau export",
    )
    from torch import nn

    return {
        path: (module.out_features, module.in_features)
        for path, module in skeleton(config).named_modules()
        if isinstance(module, nn.Linear)
    }
