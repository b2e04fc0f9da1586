"""The linear layers of a model, and the towers that they belong to.

Training chooses from them what to adapt; serving and export check adapters against them.
"""

from dataclasses import dataclass
from typing import Any

from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.families.family import Family
from fmau.families.find import of_type
from fmau.families.load import load_config


@dataclass(frozen=True, slots=True)
class Layers:
    """The linear layers of a model.

    Attributes:
        family: the model's family.
        shapes: path -> (outputs, inputs) of every linear layer.
    """

    family: Family
    shapes: dict[str, tuple[int, int]]


def skeleton(config: Any) -> Any:
    """Build the model of a configuration without weights: on the meta device, using no memory."""
    ensure_torchvision()
    import torch
    from transformers import AutoModelForMultimodalLM

    with torch.device("meta"):
        return AutoModelForMultimodalLM.from_config(config)


def family_in(model: Any) -> Family:
    """The family of a loaded model, also of one with an adapter."""
    return of_type(model.config.model_type, type(model).__name__)


def linear_layers(base: str, revision: str | None) -> Layers:
    """The linear layers of a model; no weights are loaded.

    Args:
        base: folder or hub name of the base model of an adapter.
        revision: revision of a hub model; None for its newest.

    Raises:
        RecipeError: the configuration cannot be read, or fmau does not know the model's family.
    """
    called, remedy = "base model", _REMEDY
    config = load_config(base, revision, called=called, remedy=remedy)
    from torch import nn

    shapes = {
        path: (module.out_features, module.in_features)
        for path, module in skeleton(config).named_modules()
        if isinstance(module, nn.Linear)
    }
    return Layers(of_type(config.model_type, f"{called} {base}", remedy), shapes)


_REMEDY = (
    "give the model that the adapter was trained on: model.path of the recipe, or --base of fmau "
    "export"
)
