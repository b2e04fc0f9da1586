"""Checks that every tensor of an adapter fits a layer of its base model.

`fmau.serve.adapter` uses it before a server is started, and `fmau export`.

A server matches an adapter's tensors to layers by name. Most servers silently ignore a tensor whose
name matches no layer. The base model then answers, and its answers are taken for the adapter's.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from fmau.core.errors import InputError, Problem
from fmau.families.layers import Layers, linear_layers
from fmau.serve.adapter_config import CONFIG, WEIGHTS, AdapterConfig, read_config

_PREFIX = "base_model.model."
_FACTORS = (".lora_A.weight", ".lora_B.weight")

OTHER_BASE = "use the model it was trained on: model.path of the recipe, or --base of fmau export"

MERGE = "merge the adapter into the model (fmau export --merge), or train without"
NOT_FINITE = ("holds numbers that are not finite", "export an earlier checkpoint")


@dataclass(frozen=True, slots=True)
class Updates:
    """Which layers an adapter changes.

    Attributes:
        layers: tower ("language", "vision", "merger") -> number of adapted layers.
        parameters: tower -> number of trained parameters.
        idle: adapted layers whose update is still zero, as before training.
    """

    layers: dict[str, int]
    parameters: dict[str, int]
    idle: int


def check_updates(
    folder: Path, base: str, revision: str | None, *, merging: bool = False
) -> Updates:
    """Compare every tensor of an adapter with the layers of its base model.

    Args:
        folder: folder of the adapter, in PEFT's format.
        base: folder or hub name of the base model.
        revision: revision of a hub model; None for its newest.
        merging: the adapter will be merged by PEFT, which also knows parts of adapters that a
            server cannot apply. They are left to `fmau.train.export.merge`.

    Returns:
        The layers that the adapter changes.

    Raises:
        RecipeError: the adapter's or the base model's configuration cannot be read, or the base is
            of a family that fmau does not know.
        InputError: a tensor names no linear layer, has the wrong shape or another rank than the
            configuration says, holds numbers that are not finite or lacks its counterpart, or all
            updates are zero; every problem is listed.
    """
    config = read_config(folder)
    layers = linear_layers(base, revision)
    path = folder / WEIGHTS
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        problem = Problem(str(path), f"cannot be read ({error})", "copy the adapter again")
        raise InputError([problem]) from None
    matrices = {
        name: tensor
        for name, tensor in tensors.items()
        if not merging or _is_servable(name, layers)
    }
    found = [*_troubles(matrices, layers, config, merging=merging)]
    rest = tensors.keys() - matrices.keys()
    found += [(name, NOT_FINITE) for name in sorted(rest) if not _is_finite(tensors[name])]
    problems = [Problem(f"{path}: {name}", *trouble) for name, trouble in found]
    updates = _summary(tensors, layers)
    all_zero = updates.idle == sum(updates.layers.values()) and len(matrices) == len(tensors)
    if not problems and all_zero:
        remedy = "train it, or give the folder that training wrote, RUN/adapter"
        problems = [Problem(str(path), "every update is zero, so it changes nothing", remedy)]
    if problems:
        raise InputError(problems)
    return updates


def _troubles(
    tensors: Mapping[str, Tensor],
    layers: Layers,
    config: AdapterConfig,
    *,
    merging: bool,
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (tensor name, (problem, remedy)) for every tensor that would not be applied."""
    names, shapes = set(tensors), layers.shapes
    for name, tensor in sorted(tensors.items()):
        path, factor = _layer(name)
        if factor is None:
            yield name, ("is not a LoRA matrix (lora_A or lora_B)", MERGE)
        elif path not in shapes:
            yield name, ("names no linear layer of the base model", OTHER_BASE)
        elif (tower := layers.family.tower(path)) is None or not (
            merging or tower in layers.family.served_towers
        ):
            what = "belongs to a part of the model that servers cannot adapt"
            yield name, (what, MERGE)
        elif not _is_finite(tensor):
            yield name, NOT_FINITE
        elif (other := _PREFIX + path + _FACTORS[1 - factor]) not in names:
            yield name, (f"lacks its counterpart {other}", "copy the adapter again")
        elif tensor.ndim != 2 or tensor.shape[1 - factor] != shapes[path][1 - factor]:
            fits = f"{shapes[path][0]} x {shapes[path][1]}"
            what = f"has shape {tuple(tensor.shape)}, but the layer is {fits}"
            yield name, (what, OTHER_BASE)
        elif (rank := tensor.shape[factor]) != config.rank_of(path):
            what = f"has rank {rank}, but {CONFIG} gives this layer rank {config.rank_of(path)}"
            yield name, (what, "copy both files of the adapter from the same training run")


def _is_finite(tensor: Tensor) -> bool:
    return bool(tensor.float().isfinite().all())


def _is_servable(name: str, layers: Layers) -> bool:
    """Whether a tensor is a LoRA matrix of a tower; servers can apply nothing else."""
    path, factor = _layer(name)
    in_tower = layers.family.tower(path) is not None
    return factor is not None and (in_tower or not path.startswith("lm_head"))


def _layer(name: str) -> tuple[str, int | None]:
    """(layer path, 0) for a lora_A tensor, (layer path, 1) for lora_B, else (name, None)."""
    for place, ending in enumerate(_FACTORS):
        if name.startswith(_PREFIX) and name.endswith(ending):
            return name.removeprefix(_PREFIX).removesuffix(ending), place
    return name, None


def _summary(tensors: Mapping[str, Tensor], of: Layers) -> Updates:
    layers, parameters = Counter[str](), Counter[str]()
    idle = 0
    for name, tensor in tensors.items():
        path, factor = _layer(name)
        tower = of.family.tower(path) or "other"
        parameters[tower] += math.prod(tensor.shape)
        if factor == 1:
            layers[tower] += 1
            idle += not tensor.any()
    return Updates(dict(layers), dict(parameters), idle)
