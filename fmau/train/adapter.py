"""The adapter: which linear layers get low-rank updates, and at which rate they learn.

Modules are chosen by their full path. A bare suffix such as "proj" or "o_proj" also fits layers of
the vision tower and, in other members of the family, a convolution.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from rich.box import SIMPLE_HEAD
from rich.table import Table
from torch import nn
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from fmau.core.errors import RecipeError
from fmau.recipe import LoraBlock, TrainBlock

TOWERS = {
    "language": ("model.language_model.layers.",),
    "vision": ("model.visual.blocks.",),
    "merger": ("model.visual.merger.", "model.visual.deepstack_merger_list."),
}
"""Switch of `LoraBlock` -> where its modules' paths begin."""

SLOWER = 0.1
"""Rate of vision tower and merger relative to the language model's, unless the recipe says."""


def tower(path: str) -> str | None:
    """The tower that a module or parameter of the base model belongs to, None if to no tower.

    >>> tower("model.visual.deepstack_merger_list.0.linear_fc1")
    'merger'
    """
    return next((name for name, starts in TOWERS.items() if path.startswith(starts)), None)


def skeleton(config: Qwen3VLConfig) -> Qwen3VLForConditionalGeneration:
    """The model that a configuration describes, its weights mere shapes that take no memory."""
    with torch.device("meta"):
        return Qwen3VLForConditionalGeneration(config)


def targets(model: nn.Module, lora: LoraBlock) -> list[str]:
    """Full paths of the linear layers that get updates.

    Raises:
        RecipeError: a tower is switched on in which the model has no linear layer.
    """
    found: dict[str, list[str]] = {name: [] for name in TOWERS if getattr(lora, name)}
    for path, module in model.named_modules():
        if isinstance(module, nn.Linear) and (name := tower(path)) in found:
            found[name].append(path)
    for name, paths in found.items():
        if not paths:
            raise RecipeError(
                f"train.lora.{name}: {type(model).__name__} has no linear layer under "
                f"{' or '.join(TOWERS[name])}; switch it off or use a model of the Qwen3-VL family"
            )
    return [path for paths in found.values() for path in paths]


def add_adapter(model: nn.Module, lora: LoraBlock) -> PeftModel:
    """The model with all its weights frozen and fresh updates on `targets`.

    Initial updates are zero (A random, B zero), so the adapted model starts as the base model.
    """
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets(model, lora),
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def parameter_groups(model: nn.Module, train: TrainBlock) -> list[dict[str, object]]:
    """What is trained, as one optimizer group per tower with its rate.

    Low-rank factors are no biases or norms, so weight decay applies to all of them.
    """
    rates = {
        "language": train.learning_rate,
        "vision": train.vision_learning_rate or SLOWER * train.learning_rate,
        "merger": train.merger_learning_rate or SLOWER * train.learning_rate,
    }
    members: dict[str, list[nn.Parameter]] = {}
    for path, parameter in model.named_parameters():
        if parameter.requires_grad:
            members.setdefault(_tower_of_update(path), []).append(parameter)
    return [
        {"params": parameters, "lr": rates[name], "weight_decay": train.weight_decay, "name": name}
        for name, parameters in members.items()
    ]


@dataclass(frozen=True, slots=True)
class TowerCount:
    """Parameters of one tower."""

    name: str
    frozen: int
    trained: int
    layers: int


def count_parameters(model: nn.Module) -> list[TowerCount]:
    """Frozen and trained parameters of each tower; "embeddings" holds what is in no tower."""
    return list(_counts(model))


def trained_table(model: nn.Module, train: TrainBlock) -> Table:
    """What is trained, what is frozen, and why, for people."""
    groups = {group["name"]: group["lr"] for group in parameter_groups(model, train)}
    table = Table("part", "frozen", "trained", "layers", "peak rate", "why", box=SIMPLE_HEAD)
    for count in count_parameters(model):
        why = f"train.lora.{count.name}: {'true' if count.trained else 'false'}"
        table.add_row(
            count.name,
            f"{count.frozen:,}",
            f"{count.trained:,}",
            str(count.layers),
            f"{groups[count.name]:g}" if count.trained else "–",
            why if count.name in TOWERS else "never adapted: vLLM serves no such update",
        )
    return table


def _counts(model: nn.Module) -> Iterator[TowerCount]:
    frozen, trained, layers = (dict.fromkeys((*TOWERS, "embeddings"), 0) for _ in range(3))
    for path, parameter in model.named_parameters():
        name = tower(_base_path(path)) or "embeddings"
        # ZeRO-3 leaves an empty tensor in the place of a weight that it has shared out.
        numbers = getattr(parameter, "ds_numel", parameter.numel())
        (trained if parameter.requires_grad else frozen)[name] += numbers
        layers[name] += path.endswith(".lora_A.default.weight")
    for name in frozen:
        yield TowerCount(name, frozen[name], trained[name], layers[name])


def _base_path(path: str) -> str:
    """A parameter's path in the base model; PEFT puts its own names around."""
    return path.removeprefix("base_model.model.")


def _tower_of_update(path: str) -> str:
    name = tower(_base_path(path))
    assert name is not None, f"{path} is trained but belongs to no tower"
    return name
