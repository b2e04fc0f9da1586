"""The whole recipe; reading it from a file, with overrides, and saying what is wrong with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from fmau.core.errors import RecipeError, inner_model, known_keys, problems_of
from fmau.core.files import read_yaml
from fmau.core.parsing import parse_yaml
from fmau.core.shipped import find
from fmau.recipe.blocks import (
    AnswerBlock,
    Block,
    DataBlock,
    FramesBlock,
    ModelBlock,
    PromptBlock,
    ServeBlock,
)
from fmau.recipe.training import TrainBlock

BlockT = TypeVar("BlockT", bound=Block)


class Recipe(Block):
    """One experiment, complete.

    Attributes:
        name: of the run; its folder is `runs`/`name`.
        runs: folder of run folders.
        train: how an adapter is trained; None in a recipe that only asks.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    runs: Path = Path("runs")
    model: ModelBlock
    data: DataBlock
    frames: FramesBlock
    prompt: PromptBlock
    serve: ServeBlock = ServeBlock()
    answer: AnswerBlock = AnswerBlock()
    train: TrainBlock | None = None

    @property
    def run_folder(self) -> Path:
        """Where this recipe's results are written."""
        return self.runs / self.name


def load_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        name_or_path: of a recipe that comes with fmau, e.g. "zero_shot_qwen3_vl_8b", or the path
            of a YAML file.
        overrides: "a.b=value" texts that replace values of existing keys; values are YAML.

    Raises:
        RecipeError: no such recipe, not YAML, unknown keys, bad values or overrides; every defect
            is listed with its key.
    """
    path = find("recipe", name_or_path)
    return checked(path, read_tree(path), Recipe, overrides)


def read_tree(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, unchecked.

    Raises:
        RecipeError: it cannot be read, is not YAML, or not a mapping.
    """
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise RecipeError(f"{path}: a recipe is a mapping of blocks, this is {_kind(tree)}")
    return tree


def checked(
    path: Path, tree: dict[str, Any], root: type[BlockT], overrides: Sequence[str] = ()
) -> BlockT:
    """The tree as a `root`, with overrides applied.

    Args:
        path: named in errors.

    Raises:
        RecipeError: unknown keys, bad values or overrides; every defect is listed with its key.
    """
    for override in overrides:
        _apply(tree, override, root)
    try:
        return root.model_validate(tree)
    except ValidationError as error:
        lines = [f"  {problem}" for problem in problems_of(error, root, whole="recipe")]
        raise RecipeError("\n".join([f"{path}: {len(lines)} problem(s):", *lines])) from None


def _apply(tree: dict[str, Any], override: str, root: type[BaseModel]) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise RecipeError(f"--set {override}: write KEY=VALUE, e.g. answer.clips_in_flight=4")
    *blocks, leaf = key.strip().split(".")
    at: Any = tree
    model = root
    for block in blocks:
        inner = inner_model(model, block)
        if inner is None:
            raise RecipeError(f"--set {key}: no block {block!r}; {known_keys(model)}")
        model = inner
        at = at.setdefault(block, {})
        if not isinstance(at, dict):
            raise RecipeError(f"--set {key}: the recipe has no block {block!r} to change")
    if leaf not in model.model_fields:
        raise RecipeError(f"--set {key}: no key {leaf!r}; {known_keys(model)}")
    try:
        at[leaf] = parse_yaml(text)
    except ValueError:
        raise RecipeError(f"--set {override}: the value is not valid YAML") from None


def _kind(value: object) -> str:
    return "empty" if value is None else f"a {type(value).__name__}"
