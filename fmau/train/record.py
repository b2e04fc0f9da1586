"""The record of a training run, stored beside its adapter: recipe, data, results, software.

`fmau.train.run` writes it, `fmau export` reads it for the model card.
"""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from fmau.core.errors import RunError, problems_of
from fmau.core.files import digest, file_digest, write_whole
from fmau.core.parsing import parse_yaml
from fmau.dataset.training import TrainingData
from fmau.recipe import Recipe, RunName, TrainDataBlock
from fmau.runs.manifest import Session

RECORD = "training.yaml"
"""Its suffix is not one that `fmau.runs.conditions` hashes: the record cannot change an answer."""


class TrainedModel(BaseModel):
    """The base model in a record's recipe; attributes as in `fmau.recipe.ModelBlock`."""

    path: str
    revision: str | None = None
    dtype: Literal["bfloat16", "float32"]


class _RecipeRead(BaseModel):
    """What readers of a record take from its recipe; the rest may be of another version."""

    name: RunName
    model: TrainedModel


class TrainingRecord(BaseModel):
    """The contents of `training.yaml`.

    Attributes:
        recipe: the resolved recipe, every default written out. It has at least a name and a model.
        recipe_hash: SHA-256 of `recipe`.
        files: training file -> SHA-256 of its contents.
        clips: number of training and validation clips together.
        examples: view -> number of training examples.
        processes: number of training processes.
        steps: optimizer steps taken.
        best_step: step whose weights the adapter holds; None without validation.
        validation: metric -> its value at `best_step`, in percent.
        session: packages, code revision and hardware of the last start of training.
    """

    model_config = ConfigDict(extra="forbid")

    recipe: dict[str, Any]
    recipe_hash: str
    files: dict[str, str]
    clips: int
    examples: dict[str, int]
    processes: int
    steps: int
    best_step: int | None
    validation: dict[str, float]
    session: Session

    @field_validator("recipe")
    @classmethod
    def _readable(cls, recipe: dict[str, Any]) -> dict[str, Any]:
        try:
            _RecipeRead.model_validate(recipe)
        except ValidationError as error:
            raise ValueError(problems_of(error, _RecipeRead)[0]) from None
        return recipe

    @property
    def model(self) -> TrainedModel:
        """The base model that the adapter was trained on."""
        return TrainedModel.model_validate(self.recipe["model"])

    def save(self, adapter: Path) -> None:
        """Write the record into the adapter's folder."""
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        write_whole(adapter / RECORD, text)


def new_record(
    recipe: Recipe,
    source: TrainDataBlock,
    data: TrainingData,
    session: Session,
    **facts: Any,
) -> TrainingRecord:
    """Make the record of a finished training run.

    Args:
        source: the files that `data` was read from.
        facts: the remaining attributes of the record, from `processes` to `validation`.
    """
    resolved = recipe.model_dump(mode="json")
    files = [path for path in (source.captions, source.dialogues) if path is not None]
    return TrainingRecord(
        recipe=resolved,
        recipe_hash=digest(resolved),
        files={str(path): file_digest(path) for path in files},
        clips=len(data.clips()),
        examples=data.counts(),
        session=session,
        **facts,
    )


def read_record(adapter: Path) -> TrainingRecord | None:
    """Read the record beside an adapter; None if there is none (not trained with fmau).

    Raises:
        RunError: the record is damaged.
    """
    path = adapter / RECORD
    try:
        return TrainingRecord.model_validate(parse_yaml(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except ValidationError as error:  # a subclass of ValueError, so it must be caught first
        what = problems_of(error, TrainingRecord)[0]
        raise RunError(f"{path}: damaged ({what}); restore it from a copy or delete it") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from None
