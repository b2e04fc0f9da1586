"""Every tensor of an adapter held against the model it is meant for.

A server loads an adapter by the names of its tensors. One that names no layer of the served model
is dropped, by most servers in silence, and the base model's answers then pass for the adapter's.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers import AutoConfig, Qwen3VLConfig

from fmau.core.errors import InputError, Problem, RecipeError, first_line
from fmau.serve.adapter import WEIGHTS
from fmau.train.adapter import skeleton, tower

_PREFIX = "base_model.model."
_FACTORS = (".lora_A.weight", ".lora_B.weight")


@dataclass(frozen=True, slots=True)
class Updates:
    """What an adapter changes.

    Attributes:
        layers: tower ("language", "vision", "merger") -> number of adapted layers.
        parameters: tower -> number of trained numbers.
        idle: adapted layers whose update is zero, as it was before training.
    """

    layers: dict[str, int]
    parameters: dict[str, int]
    idle: int


def check_updates(folder: Path, base: str, revision: str | None) -> Updates:
    """Hold every tensor of an adapter against the layers of its base model.

    Args:
        folder: of the adapter, in PEFT's format.
        base: folder or hub name of the model.
        revision: of a hub model.

    Raises:
        RecipeError: the base model's configuration cannot be read or is of another family.
        InputError: tensors that name no linear layer of the model or do not fit it, half an update,
            numbers that are not finite, or an adapter that changes nothing; all of them.
    """
    shapes = linear_shapes(base, revision)
    path = folder / WEIGHTS
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        problem = Problem(str(path), f"cannot be read ({error})", "copy the adapter again")
        raise InputError([problem]) from None
    problems = [
        Problem(f"{path}: {name}", *trouble) for name, trouble in _troubles(tensors, shapes)
    ]
    updates = _summary(tensors)
    if not problems and updates.idle == sum(updates.layers.values()):
        remedy = "train it, or give the folder that training wrote, RUN/adapter"
        problems = [Problem(str(path), "every update is zero, so it changes nothing", remedy)]
    if problems:
        raise InputError(problems)
    return updates


def linear_shapes(base: str, revision: str | None) -> dict[str, tuple[int, int]]:
    """Path -> (outputs, inputs) of every linear layer of a model, built without weights.

    Raises:
        RecipeError: the configuration cannot be read or is of another family.
    """
    try:
        config = AutoConfig.from_pretrained(base, revision=revision)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"base model {base}: its configuration cannot be read ({first_line(error)}); give "
            "the model the adapter was trained on with --base"
        ) from None
    if not isinstance(config, Qwen3VLConfig):
        raise RecipeError(
            f"base model {base}: {config.model_type}, no model of the Qwen3-VL family"
        )
    return {
        path: (module.out_features, module.in_features)
        for path, module in skeleton(config).named_modules()
        if isinstance(module, nn.Linear)
    }


def _troubles(
    tensors: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, int]]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """(tensor name, (what is wrong, what to do)) of every tensor that would not be applied."""
    names = set(tensors)
    for name, tensor in sorted(tensors.items()):
        path, factor = _layer(name)
        if factor is None:
            yield name, ("is no low-rank factor", "train without, or merge the adapter")
        elif path not in shapes:
            remedy = "give the model it was trained on with --base, or train it on that model"
            yield name, ("names no linear layer of the base model", remedy)
        elif tower(path) is None:
            yield name, ("belongs to no tower that a server adapts", "merge the adapter")
        elif not tensor.isfinite().all():
            yield name, ("holds numbers that are not finite", "export an earlier checkpoint")
        elif (other := _PREFIX + path + _FACTORS[1 - factor]) not in names:
            yield name, (f"has no partner {other}", "copy the adapter again")
        elif tensor.shape[1 - factor] != shapes[path][1 - factor]:
            fits = f"{shapes[path][0]} x {shapes[path][1]}"
            what = f"has shape {tuple(tensor.shape)}, but the layer is {fits}"
            yield name, (what, "give the model it was trained on with --base")


def _layer(name: str) -> tuple[str, int | None]:
    """Path of the layer that a tensor belongs to; 0 for its A, 1 for its B, None if neither."""
    for place, ending in enumerate(_FACTORS):
        if name.startswith(_PREFIX) and name.endswith(ending):
            return name.removeprefix(_PREFIX).removesuffix(ending), place
    return name, None


def _summary(tensors: Mapping[str, Tensor]) -> Updates:
    layers, parameters = Counter[str](), Counter[str]()
    idle = 0
    for name, tensor in tensors.items():
        path, factor = _layer(name)
        of = tower(path) or "other"
        parameters[of] += math.prod(tensor.shape)
        if factor == 1:
            layers[of] += 1
            idle += not tensor.any()
    return Updates(dict(layers), dict(parameters), idle)
