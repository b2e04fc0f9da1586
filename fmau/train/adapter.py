"""The adapter: which linear layers get low-rank updates, and their learning rates.

`fmau.train.run` adds it to the base model. Modules are chosen by their full path, because a short
suffix such as "proj" or "o_proj" also matches layers of the vision tower and, in other models of
the family, a convolution.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from peft import LoraConfig, PeftModel, get_peft_model
from rich.box import SIMPLE_HEAD
from rich.table import Table
from torch import nn

from fmau.core.errors import RecipeError
from fmau.families.layers import family_in
from fmau.recipe import LoraBlock, TrainBlock

SLOWER = 0.1
"""Default learning rate of vision tower and merger, relative to the language model's."""


def targets(model: nn.Module, lora: LoraBlock) -> list[str]:
    """Full paths of the linear layers that get updates.

    Raises:
        RecipeError: the recipe adapts a tower in which the model has no linear layer.
    """
    family = family_in(model)
    found: dict[str, list[str]] = {name: [] for name in family.towers if getattr(lora, name)}
    for path, module in model.named_modules():
        if isinstance(module, nn.Linear) and (name := family.tower(path)) in found:
            found[name].append(path)
    for name, paths in found.items():
        if not paths:
            raise RecipeError(
                f"train.lora.{name}: {type(model).__name__} has no linear layer under "
                f"{' or '.join(family.towers[name])}; set it to false, or use another model"
            )
    return [path for paths in found.values() for path in paths]


def add_adapter(model: nn.Module, lora: LoraBlock) -> PeftModel:
    """Freeze all weights of the model and add new low-rank updates to `targets`.

    The updates start at zero (A random, B zero), so the adapted model starts as the base model.
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
    """The trained parameters as optimizer groups, one per tower with its learning rate.

    LoRA matrices are neither biases nor norms, so weight decay applies to all of them.
    """
    rates = {
        "language": train.learning_rate,
        "vision": train.vision_learning_rate or SLOWER * train.learning_rate,
        "merger": train.merger_learning_rate or SLOWER * train.learning_rate,
    }
    family = family_in(model)
    members: dict[str, list[nn.Parameter]] = {}
    for path, parameter in model.named_parameters():
        if parameter.requires_grad:
            tower = family.tower(_base_path(path))
            assert tower is not None, f"{path} is trained but belongs to no tower"
            members.setdefault(tower, []).append(parameter)
    return [
        {"params": parameters, "lr": rates[name], "weight_decay": train.weight_decay, "name": name}
        for name, parameters in members.items()
    ]


@dataclass(frozen=True, slots=True)
class TowerCount:
    """Number of frozen and trained parameters, and of adapted layers, of one tower."""

    name: str
    frozen: int
    trained: int
    layers: int


def count_parameters(model: nn.Module) -> list[TowerCount]:
    """Count parameters per tower; "embeddings" counts those that belong to no tower."""
    return list(_counts(model))


def trained_table(model: nn.Module, train: TrainBlock) -> Table:
    """A table for the terminal: what is trained, what is frozen, and why."""
    family = family_in(model)
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
            why if count.name in family.towers else "never adapted: vLLM cannot serve such updates",
        )
    return table


def _counts(model: nn.Module) -> Iterator[TowerCount]:
    family = family_in(model)
    frozen, trained, layers = (dict.fromkeys((*family.towers, "embeddings"), 0) for _ in range(3))
    for path, parameter in model.named_parameters():
        name = family.tower(_base_path(path)) or "embeddings"
        # ZeRO-3 splits a weight among processes and leaves an empty tensor; ds_numel is its size.
        numbers = getattr(parameter, "ds_numel", parameter.numel())
        (trained if parameter.requires_grad else frozen)[name] += numbers
        layers[name] += path.endswith(".lora_A.default.weight")
    for name in frozen:
        yield TowerCount(name, frozen[name], trained[name], layers[name])


def _base_path(path: str) -> str:
    """A parameter's path in the base model, without the prefix that PEFT adds."""
    return path.removeprefix("base_model.model.")
