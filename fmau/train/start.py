"""What a training run started with: everything that can change what is learned, and nothing else.

It is written into the training folder before the first step. Once there is a checkpoint, each start
is compared with it, so that a run cannot continue, or describe itself, under another recipe.

Some things are left out on purpose: micro-batch size, gradient checkpointing, kind of attention,
how branches are kept apart (older versions did it by a mask), number of processes, logging, and the
folders of weights, clips and frames do not change what is learned, except for rounding.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from fmau.core.errors import RunError
from fmau.core.files import digest, file_digest, make_folder, read_record, write_whole
from fmau.dataset.training import TrainingData
from fmau.frames.cache import FrameCache
from fmau.prompting.prompts import PromptSet
from fmau.recipe import Recipe, TrainBlock
from fmau.runs.conditions import differences, model_identity
from fmau.train.checkpoints import latest_complete
from fmau.train.record import RECORD

START = "start.json"

FORMAT_VERSION = 1
"""Increase it when a new version of fmau encodes the same examples, or computes the loss,
differently."""

ADAPTER = (RECORD, "adapter_config.json", "adapter_model.safetensors")
"""The files of a finished adapter; the record is written last."""

SHOWN = 20
"""The most differences that an error lists."""

_NOT_LEARNED = {"micro_batch_size", "gradient_checkpointing", "attention", "wandb", "data"}


class Start(BaseModel):
    """The contents of `start.json`.

    Attributes:
        conditions: everything that can change what is learned, see `training_conditions`.
    """

    model_config = ConfigDict(extra="forbid")

    conditions: dict[str, Any]


def training_conditions(
    recipe: Recipe, train: TrainBlock, data: TrainingData, prompts: PromptSet, cache: FrameCache
) -> dict[str, Any]:
    """Everything that can change what is learned, as a tree that can be written as JSON.

    Args:
        train: the recipe's train block.
        data: the examples, of which `cache` holds all clips.

    Raises:
        RecipeError: the folder of a local model has no weight file.
    """
    source = train.data
    return {
        "format": FORMAT_VERSION,
        "model": model_identity(recipe.model) | {"dtype": recipe.model.dtype},
        "frames": recipe.frames.conditions(),
        # Without the key that training refuses: older runs, which lack it, can go on.
        "prompts": prompts.texts.model_dump(mode="json", exclude={"systems"}),
        "strip_class_codes": prompts.strip_class_codes,
        "max_tokens_open": recipe.answer.max_tokens_open,
        "train": train.model_dump(mode="json", exclude=_NOT_LEARNED),
        "data": {
            "captions": source.captions and file_digest(source.captions),
            "dialogues": source.dialogues and file_digest(source.dialogues),
            "validation_share": source.validation_share,
            "examples": digest([asdict(example) for example in (*data.train, *data.validation)]),
        },
        "clips": {clip: cache.checksum(clip) for clip in data.clips()},
    }


def check_start(run_folder: Path, present: dict[str, Any]) -> bool:
    """Compare the conditions that a run began under with `present`; write them if it begins now.

    A run begins with its first complete checkpoint: before that, another recipe may be started.

    Args:
        run_folder: the run's folder; the conditions are in its folder `train`.

    Returns:
        Whether the run has finished: its adapter and the record beside it are complete.

    Raises:
        RunError: the run began under other conditions (each difference is named), it is not known
            under which, or the folder cannot be written.
    """
    folder = run_folder / "train"
    finished = all((run_folder / "adapter" / name).exists() for name in ADAPTER)
    if not finished and latest_complete(folder) is None:
        make_folder(folder)
        write_whole(folder / START, Start(conditions=present).model_dump_json(indent=1))
        return False
    try:
        start = read_record(
            folder / START, Start, f"delete {folder} and {run_folder}/adapter to train again"
        )
    except FileNotFoundError:
        raise RunError(
            f"{run_folder}: was trained before, but there is no train/{START}, so it is unknown "
            "what was learned; move the folder away, or give this run another name "
            "(--set name=NAME)"
        ) from None
    _refuse_others(run_folder, differences(start.conditions, present))
    return finished


def _refuse_others(run_folder: Path, lines: list[str]) -> None:
    if not lines:
        return
    shown = [f"  {line}" for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        shown.append(f"  ... and {len(lines) - SHOWN} more")
    raise RunError(
        "\n".join(
            [
                f"{run_folder}: its training started under other conditions (there -> now):",
                *shown,
                "give this run another name (--set name=NAME), or delete its folders train and "
                "adapter to train again",
            ]
        )
    )
