"""Translates a recipe into the Trainer's settings and checks them against this launch.

`fmau.train.run` uses it.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from transformers import TrainingArguments

from fmau.core.errors import RecipeError
from fmau.recipe import Recipe, TrainBlock

MIXED_PRECISION = {"bfloat16": "bf16", "float32": "no"}
"""`model.dtype` -> accelerate's name of that number format."""


def training_arguments(recipe: Recipe, train: TrainBlock, *, validated: bool) -> TrainingArguments:
    """Translate the recipe into `TrainingArguments`.

    Args:
        validated: there are validation clips, so the best checkpoint is kept; else the last one.

    Raises:
        RecipeError: `train.batch_size` cannot be divided among the processes of this launch, the
            processes would not share gradients, `accelerate launch` asks for another number format
            than `model.dtype`, or `train.wandb` is on but wandb is not installed.
    """
    _refuse_other_precision(recipe.model.dtype)
    if train.wandb and find_spec("wandb") is None:
        raise RecipeError(
            "train.wandb needs the package wandb: pip install wandb, or set train.wandb to false"
        )
    processes = launched_processes()
    at_once = micro_batch(train, processes)
    on_cpu = not torch.accelerator.is_available()
    # DeepSpeed chooses the device itself. With use_cpu the Trainer would silently drop DeepSpeed.
    deepspeed = os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true"
    arguments = TrainingArguments(
        output_dir=str(recipe.run_folder / "train"),
        num_train_epochs=train.epochs,
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=2 * at_once,
        gradient_accumulation_steps=train.batch_size // (processes * at_once),
        learning_rate=train.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=train.warmup_share,
        max_grad_norm=train.max_grad_norm,
        gradient_checkpointing=train.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        bf16=recipe.model.dtype == "bfloat16" and not on_cpu,
        use_cpu=on_cpu and not deepspeed,
        ddp_backend="gloo" if on_cpu and processes > 1 else None,
        ddp_find_unused_parameters=False,
        seed=train.seed,
        data_seed=train.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if validated else "no",
        eval_steps=train.steps_between_validations,
        save_strategy="steps",
        save_steps=train.steps_between_validations,
        save_total_limit=None,  # `CompleteMarker` deletes old ones once the new one is complete
        load_best_model_at_end=validated,
        metric_for_best_model="score",
        greater_is_better=True,
        report_to=["tensorboard", "wandb"] if train.wandb else ["tensorboard"],
        run_name=recipe.name,
        remove_unused_columns=False,
        dataloader_num_workers=1,
    )
    _refuse_strangers(arguments, processes)
    return arguments


def _refuse_strangers(arguments: TrainingArguments, processes: int) -> None:
    alone = PartialState().distributed_type == DistributedType.NO
    if arguments.world_size != processes or (processes > 1 and alone):
        raise RecipeError(
            f"{processes} processes were started, but each would train alone, without sharing "
            "gradients; give accelerate launch a --config_file of recipes/accelerate"
        )


def sharing(arguments: TrainingArguments) -> str:
    """What the processes of this launch share out, which decides how a checkpoint is written:
    "no sharding", "ZeRO-2", "ZeRO-3" or "FSDP"."""
    if arguments.deepspeed_plugin is not None:
        return f"ZeRO-{arguments.deepspeed_plugin.zero_stage}"
    return "FSDP" if os.environ.get("ACCELERATE_USE_FSDP") == "true" else "no sharding"


SHARDING = {
    "ACCELERATE_USE_FSDP": DistributedType.FSDP,
    "ACCELERATE_USE_DEEPSPEED": DistributedType.DEEPSPEED,
}
"""Variable by which `accelerate launch` asks for a way to share out a model -> the way."""


def check_sharing(runs: DistributedType) -> None:
    """Compare how the processes work together with what `accelerate launch` asked for.

    Where Accelerate finds no GPU it forgets FSDP, and each process holds the whole model.

    Args:
        runs: `distributed_type` of the Trainer's accelerator.

    Raises:
        RecipeError: they differ.
    """
    for variable, asked in SHARDING.items():
        if os.environ.get(variable) == "true" and runs != asked:
            raise RecipeError(
                f"accelerate launch asks for {asked.value}, but the processes run {runs.value}: "
                "nothing would be shared out; FSDP needs GPUs, without them give accelerate launch "
                "--config_file recipes/accelerate/ddp_cpu.yaml"
            )


SHARED_MEMORY = Path("/dev/shm")
"""Where the loader processes of PyTorch leave their batches, on Linux."""


def check_shared_memory(held: int) -> None:
    """Check that the batches of all processes of this machine fit into its shared memory.

    A loader process that finds no room there cannot hand over its batch, and training would wait
    for it for ever. Containers often have 64 MiB.

    Args:
        held: bytes that one process needs.

    Raises:
        RecipeError: there is less room.
    """
    if not SHARED_MEMORY.is_dir():
        return
    needed = held * int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    free = shutil.disk_usage(SHARED_MEMORY).free
    if free < needed:
        raise RecipeError(
            f"{SHARED_MEMORY}: the batches on their way to training take {needed / 2**20:,.0f} MiB "
            f"of shared memory, and {free / 2**20:,.0f} MiB are free; give the container more "
            "(docker run --shm-size=16g, or --ipc=host), or lower train.micro_batch_size"
        )


def _refuse_other_precision(dtype: str) -> None:
    """The Trainer would follow the setting of the launch, and no file would record it."""
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if asked not in {"no", MIXED_PRECISION[dtype]}:
        raise RecipeError(
            f"accelerate launch asks for mixed_precision {asked}, but model.dtype of the recipe is "
            f'{dtype}; set mixed_precision to "no" in its config file (--config_file), or give '
            "--mixed_precision no: then the recipe decides"
        )


def launched_processes() -> int:
    """Number of processes that `accelerate launch` started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def micro_batch(train: TrainBlock, processes: int) -> int:
    """Number of sequences that each process computes at once.

    The largest number up to `train.micro_batch_size` that divides a process's share of the batch:
    of a batch of 12, two processes with a `micro_batch_size` of 4 compute 3 at once, twice.

    Raises:
        RecipeError: the processes cannot share `train.batch_size` evenly.
    """
    share, left = divmod(train.batch_size, processes)
    if left:
        raise RecipeError(
            f"train.batch_size is {train.batch_size}, which {processes} processes cannot share "
            f"evenly; set it to a multiple of {processes}, or start another number of processes"
        )
    return next(size for size in range(train.micro_batch_size, 0, -1) if share % size == 0)
