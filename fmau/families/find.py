"""Finds the family of a checkpoint by the `model_type` in its config.json."""

from contextlib import suppress
from pathlib import Path

from fmau.core.errors import RecipeError
from fmau.core.parsing import parse_json
from fmau.families.checkpoint import CONFIG, cached_config, check_reachable
from fmau.families.family import Family
from fmau.families.qwen2_5_vl import Qwen2_5VL
from fmau.families.qwen3_5 import Qwen3_5
from fmau.families.qwen3_vl import Qwen3VL
from fmau.recipe import ModelBlock

FAMILIES: tuple[Family, ...] = (Qwen3VL(), Qwen3_5(), Qwen2_5VL())
"""All families that fmau knows."""


def family_of(model: ModelBlock) -> Family:
    """The family of a recipe's model.

    A hub model's config.json is downloaded if this machine does not have it.

    Raises:
        RecipeError: the configuration cannot be read, or fmau does not know the family.
    """
    return of_type(_model_type(model.path, model.revision), f"model.path {model.path}")


def known_family(model: ModelBlock) -> Family | None:
    """The family of a recipe's model; None if its config.json is not on this machine.

    That is normal where a server on another machine is asked.

    Raises:
        RecipeError: fmau does not know the family.
    """
    from huggingface_hub.errors import HFValidationError

    here = Path(model.path).is_dir()
    with suppress(HFValidationError):  # a path where nothing is
        here = here or cached_config(model.path, model.revision) is not None
    return family_of(model) if here else None


def of_type(model_type: str, called: str, remedy: str = "") -> Family:
    """The family of checkpoints with this `model_type`.

    Args:
        called, remedy: what the user calls the checkpoint and what to do, for the error text.

    Raises:
        RecipeError: fmau does not know the family.
    """
    for family in FAMILIES:
        if model_type in family.types:
            return family
    known = ", ".join(f"{family.name} ({', '.join(sorted(family.types))})" for family in FAMILIES)
    raise RecipeError(
        f"{called}: its type is {model_type}, which fmau does not know; it knows {known}; "
        f"{remedy or 'docs/extending.md shows how to add a family'}"
    )


def _model_type(path: str, revision: str | None) -> str:
    try:
        tree = parse_json(_config_file(path, revision).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"model.path {path}: its {CONFIG} cannot be read ({error}); copy or download all files "
            "of the checkpoint again"
        ) from None
    kind = tree.get("model_type") if isinstance(tree, dict) else None
    if not isinstance(kind, str):
        raise RecipeError(
            f"model.path {path}: its {CONFIG} names no model_type; copy or download all files of "
            "the checkpoint again"
        )
    return kind


def _config_file(path: str, revision: str | None) -> Path:
    if Path(path).is_dir():
        return Path(path) / CONFIG
    check_reachable(path, revision)
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(path, CONFIG, revision=revision))
