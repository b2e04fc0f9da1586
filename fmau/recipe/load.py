"""The whole recipe; reading it from a file, with overrides, and saying what is wrong with it."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError

from fmau.core.errors import RecipeError
from fmau.core.parsing import parse_yaml
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


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        path: YAML file.
        overrides: "a.b=value" texts that replace values of existing keys; values are YAML.

    Raises:
        RecipeError: no such file, not YAML, unknown keys, bad values or overrides; every defect
            is listed with its key.
    """
    return checked(path, read_tree(path), Recipe, overrides)


def read_tree(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, unchecked.

    Raises:
        RecipeError: no such file, not YAML, or no mapping.
    """
    try:
        tree = parse_yaml(path.read_text("utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such recipe; see recipes/ for the ones we ship") from None
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML: {error}") from None
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
        lines = [f"  {_describe(detail, root)}" for detail in error.errors()]
        raise RecipeError("\n".join([f"{path}: {len(lines)} problem(s):", *lines])) from None


def digest(value: Any) -> str:
    """SHA-256 (hex) of a JSON-able value, independent of key order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _apply(tree: dict[str, Any], override: str, root: type[BaseModel]) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise RecipeError(f"--set {override}: write KEY=VALUE, e.g. answer.clips_in_flight=4")
    *blocks, leaf = key.strip().split(".")
    at: Any = tree
    model = root
    for block in blocks:
        inner = _inner(model, block)
        if inner is None:
            raise RecipeError(f"--set {key}: no block {block!r}; {_known(model)}")
        model = inner
        at = at.setdefault(block, {})
        if not isinstance(at, dict):
            raise RecipeError(f"--set {key}: the recipe has no block {block!r} to change")
    if leaf not in model.model_fields:
        raise RecipeError(f"--set {key}: no key {leaf!r}; {_known(model)}")
    try:
        at[leaf] = parse_yaml(text)
    except ValueError:
        raise RecipeError(f"--set {override}: the value is not valid YAML") from None


def _inner(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The block under a key of a block, also where the key may be left out; None if it is none."""
    field = model.model_fields.get(key)
    annotation = field.annotation if field is not None else None
    for found in (annotation, *get_args(annotation)):
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return None


def _known(model: type[BaseModel]) -> str:
    return "known keys: " + ", ".join(model.model_fields)


def _describe(detail: Any, root: type[BaseModel]) -> str:
    key = ".".join(str(step) for step in detail["loc"]) or "recipe"
    if detail["type"] == "extra_forbidden":
        model = root
        for step in detail["loc"][:-1]:
            model = _inner(model, str(step)) or model
        return f"{key}: unknown key; {_known(model)}"
    if detail["type"] == "missing":
        return f"{key}: missing; add it"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{key}: {message} (found {detail['input']!r})"


def _kind(value: object) -> str:
    return "empty" if value is None else f"a {type(value).__name__}"
