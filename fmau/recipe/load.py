"""The whole recipe. Every command reads it here, applies --set, and gets all errors at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

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
from fmau.recipe.remote import ApiBlock
from fmau.recipe.training import TrainBlock

BlockT = TypeVar("BlockT", bound=Block)


RunName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A run's name: that of its folder, and what tables and model cards show."""


class Recipe(Block):
    """One experiment, complete.

    Attributes:
        name: name of the run; its folder is `runs`/`name`.
        runs: folder that holds the run folders.
        api: the API that the model is behind; None for a model that is served here.
        train: how an adapter is trained; None in a recipe without training.
    """

    name: RunName
    runs: Path = Path("runs")
    model: ModelBlock
    data: DataBlock
    frames: FramesBlock
    prompt: PromptBlock
    api: ApiBlock | None = None
    serve: ServeBlock = ServeBlock()
    answer: AnswerBlock = AnswerBlock()
    train: TrainBlock | None = None

    @model_validator(mode="after")
    def _asked_as_an_api_can(self) -> Self:
        if self.api is None:
            return self
        answer, wrong = self.answer, []
        if self.train is not None:
            wrong.append("leave train out: a model behind an API cannot be trained")
        if not answer.as_images:
            wrong.append('set answer.frames_as to "images": APIs take no videos of frames')
        if answer.constrain:
            wrong.append("set answer.constrain to false: the answer is read from a free reply")
        if answer.thinking_tokens:
            wrong.append(
                "set answer.thinking_tokens to 0: api.fields asks for thinking in the API's words"
            )
        if wrong:
            raise ValueError("for a model behind an API, " + "; ".join(wrong))
        return self

    @model_validator(mode="after")
    def _trained_as_asked(self) -> Self:
        if self.train is not None and self.answer.as_images:
            raise ValueError(
                'answer.frames_as is "images", but training shows clips as videos; leave one of '
                "answer.frames_as and train out"
            )
        return self

    def check_weights(self, what: str) -> None:
        """Check that the model is one with weights of our own, not one behind an API.

        Args:
            what: what needs the weights, e.g. "fmau serve".

        Raises:
            RecipeError: it is behind an API.
        """
        if self.api is not None:
            raise RecipeError(
                f"recipe {self.name}: the model is behind an API, at {self.api.place}, and has no "
                f"weights here for {what}; fmau answer and fmau ask work with it"
            )

    @property
    def run_folder(self) -> Path:
        """The folder in which this recipe's results are written."""
        return self.runs / self.name


def load_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        name_or_path: name of a recipe that comes with fmau, e.g. "zero_shot_qwen3_vl_8b", or path
            of a YAML file.
        overrides: texts "a.b=value" that replace values of existing keys; values are YAML.

    Raises:
        RecipeError: the recipe does not exist or is not YAML, or it has unknown keys, bad values or
            bad overrides; every defect is listed with its key.
    """
    path = find("recipe", name_or_path)
    return checked(path, read_tree(path), Recipe, overrides)


def read_tree(path: Path) -> dict[str, Any]:
    """Read the mapping in a YAML file, without checking its keys.

    Raises:
        RecipeError: the file cannot be read, is not YAML, or does not hold a mapping.
    """
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise RecipeError(
            f"{path}: a recipe must be a mapping of blocks (model:, data:, ...), but this file "
            f"{_kind(tree)}"
        )
    return tree


def checked(
    path: Path, tree: dict[str, Any], root: type[BlockT], overrides: Sequence[str] = ()
) -> BlockT:
    """Apply overrides to a tree and check it as a `root` block.

    Args:
        path: the file, named in errors.

    Raises:
        RecipeError: there are unknown keys, bad values or bad overrides; every defect is listed
            with its key.
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
            raise RecipeError(
                f"--set {key}: the recipe has no block {block!r}; write it into the recipe file"
            )
    if leaf not in model.model_fields:
        raise RecipeError(f"--set {key}: no key {leaf!r}; {known_keys(model)}")
    try:
        at[leaf] = parse_yaml(text)
    except ValueError:
        raise RecipeError(f"--set {override}: the value is not valid YAML") from None


def _kind(value: object) -> str:
    return "is empty" if value is None else f"holds a {type(value).__name__}"
