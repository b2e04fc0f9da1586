"""One training run, from recipe to adapter; every process of a launch runs it."""

import json
import logging
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from peft import prepare_model_for_kbit_training
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from transformers import (
    AutoConfig,
    AutoProcessor,
    BitsAndBytesConfig,
    EarlyStoppingCallback,
    Qwen3VLForConditionalGeneration,
    TrainingArguments,
    set_seed,
)

from fmau.core.errors import RecipeError, RunError
from fmau.dataset.training import TrainingData, load_training_data
from fmau.frames.cache import FrameCache
from fmau.prompting.prompts import load_prompts
from fmau.recipe import Recipe, TrainBlock
from fmau.runs.manifest import Session, utc_now
from fmau.train.adapter import add_adapter, trained_table
from fmau.train.batches import (
    Collator,
    ExampleDataset,
    SequenceDataset,
    Tensors,
    collate_sequences,
)
from fmau.train.checkpoints import latest_complete, remove_incomplete
from fmau.train.curves import draw_curves
from fmau.train.plan import measure, plan_rows
from fmau.train.record import new_record
from fmau.train.trainer import AdapterTrainer, CompleteMarker
from fmau.train.validation import closed_questions, label_questions

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def train_adapter(recipe: Recipe) -> Path:
    """Train the recipe's adapter, going on from the last checkpoint if there is one.

    Returns:
        Folder of the best adapter, RUN/adapter, in PEFT's format.

    Raises:
        RecipeError: no `train` block, or sizes that do not divide.
        TrainingError: the loss is not a number.
        RunError: clips missing in the frame cache.
    """
    train = _train_block(recipe)
    session = Session.start("train")
    data = load_training_data(train)
    # Before the Trainer's settings are made: from then on ZeRO-3 shares out every model that one
    # process builds, and waits for the others to build it too.
    plan = _plan_table(recipe, train, data)
    trainer = build_trainer(recipe, data)
    folder = Path(trainer.args.output_dir)
    state = PartialState()
    if state.is_main_process:
        remove_incomplete(folder)
        console = Console(stderr=True)
        console.print(trained_table(trainer.model, train))
        console.print(plan)
    state.wait_for_everyone()
    checkpoint = latest_complete(folder)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    adapter = recipe.run_folder / "adapter"
    trainer.save_model(str(adapter))
    if state.is_main_process:
        # The Trainer leaves a pickle of its arguments, which nobody should have to trust.
        (adapter / "training_args.bin").unlink(missing_ok=True)
        history = json.dumps(trainer.state.log_history, indent=1)
        (recipe.run_folder / "training.json").write_text(history, "utf-8")
        draw_curves(trainer.state.log_history, recipe.run_folder / "training.png")
        session.ended = utc_now()
        facts = {"processes": state.num_processes, **trainer.outcome()}
        new_record(recipe, train.data, data, session, **facts).save(adapter)
    return adapter


def _plan_table(recipe: Recipe, train: TrainBlock, data: TrainingData) -> Table:
    """What lies ahead, for people."""
    cache, data = open_cache(recipe, data)
    processor = AutoProcessor.from_pretrained(recipe.model.path, revision=recipe.model.revision)
    config = AutoConfig.from_pretrained(recipe.model.path, revision=recipe.model.revision)
    groups = data.sequences(train.examples_per_sequence)
    prompts = load_prompts(recipe.prompt.set)
    sizes = measure(groups, processor, prompts, recipe, cache[cache.names[0]])
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    gpus = [name] * _processes() if name else []
    table = Table(box=SIMPLE_HEAD, show_header=False)
    table.add_row("steps", f"{train.steps(len(groups)):,} of {train.batch_size} sequences")
    for row in plan_rows(config, train, recipe.model.dtype, sizes, gpus):
        table.add_row(*row)
    return table


def build_trainer(recipe: Recipe, data: TrainingData) -> AdapterTrainer:
    """Model, data and Trainer, ready to run."""
    train = _train_block(recipe)
    arguments = training_arguments(recipe, train, validated=bool(data.validation))
    set_seed(train.seed)
    processor = AutoProcessor.from_pretrained(recipe.model.path, revision=recipe.model.revision)
    model = add_adapter(load_base(recipe, train), train.lora)
    cache, data = open_cache(recipe, data)
    prompts = load_prompts(recipe.prompt.set)
    reading = (cache, processor, prompts, recipe.prompt, train.length_exponent)
    collate_examples = Collator(processor.tokenizer.pad_token_id)
    learned: ExampleDataset | SequenceDataset
    collate: Callable[..., Tensors]
    if train.examples_per_sequence == 1:
        learned, collate = ExampleDataset(data.train, *reading), collate_examples
    else:
        groups = data.sequences(train.examples_per_sequence)
        positions = model.get_base_model().model.get_rope_index
        learned, collate = SequenceDataset(groups, *reading, positions=positions), collate_sequences
    train.steps(len(learned))  # refuses too few before anything is started
    questions = closed_questions(
        data.validation, processor.tokenizer, train.validation_examples, train.seed
    )
    callbacks: list[Any] = [CompleteMarker(PartialState().wait_for_everyone)]
    if train.patience is not None and data.validation:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=train.patience))
    return AdapterTrainer(
        train=train,
        questions=questions,
        label_questions=label_questions(data.validation, train.validation_replies, train.seed),
        model=model,
        args=arguments,
        train_dataset=learned,
        eval_dataset=ExampleDataset(data.validation, *reading),
        data_collator=collate,
        collate_questions=collate_examples,
        tokenizer=processor.tokenizer,
        max_reply_tokens=recipe.answer.max_tokens_open,
        callbacks=callbacks,
    )


def open_cache(recipe: Recipe, data: TrainingData) -> tuple[FrameCache, TrainingData]:
    """The recipe's frames, and the examples whose clips are among them.

    Raises:
        RunError: the cache holds other frames than the recipe asks for, or lacks clips and
            `train.data.skip_bad_clips` is off.
    """
    train = _train_block(recipe)
    cache = FrameCache(train.data.cache)
    cache.check_spec(recipe.frames)
    missing = cache.missing(data.clips())
    if missing and not train.data.skip_bad_clips:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise RunError(
            f"{train.data.cache} lacks {len(missing)} clip(s): {shown}; run fmau frames RECIPE, "
            "which says why, or set train.data.skip_bad_clips to leave them out"
        )
    return cache, data.without(set(missing))


def load_base(recipe: Recipe, train: TrainBlock) -> Any:
    """The recipe's model, ready to be adapted.

    Raises:
        RecipeError: the recipe wants 4-bit weights, and there is no GPU or no bitsandbytes.
    """
    if train.lora.base_4bit and not (torch.cuda.is_available() and find_spec("bitsandbytes")):
        raise RecipeError(
            "train.lora.base_4bit needs an NVIDIA GPU and bitsandbytes: pip install -e '.[qlora]', "
            "or set it to false"
        )
    quantized = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=DTYPES[recipe.model.dtype],
    )
    model = Qwen3VLForConditionalGeneration.from_pretrained(
        recipe.model.path,
        revision=recipe.model.revision,
        dtype=DTYPES[recipe.model.dtype],
        attn_implementation=train.attention,
        quantization_config=quantized if train.lora.base_4bit else None,
    )
    if train.lora.base_4bit:
        return prepare_model_for_kbit_training(
            model, use_gradient_checkpointing=train.gradient_checkpointing
        )
    if train.gradient_checkpointing:
        # Frozen embeddings give activations without gradient, which checkpointing would cut off.
        model.enable_input_require_grads()
    return model


def training_arguments(recipe: Recipe, train: TrainBlock, *, validated: bool) -> TrainingArguments:
    """The recipe in the Trainer's terms.

    Args:
        validated: there are clips to validate on, so that the best checkpoint can be told; else the
            last is kept.

    Raises:
        RecipeError: `train.batch_size` cannot be shared by the processes of this launch, they would
            train apart, or `train.wandb` is on without its package.
    """
    if train.wandb and find_spec("wandb") is None:
        raise RecipeError("train.wandb needs the package wandb: pip install wandb, or set it false")
    processes = _processes()
    accumulation = _accumulation(train, processes)
    on_cpu = not torch.accelerator.is_available()
    # DeepSpeed chooses its device itself, and is silently left out where the CPU is forced.
    deepspeed = os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true"
    arguments = TrainingArguments(
        output_dir=str(recipe.run_folder / "train"),
        num_train_epochs=train.epochs,
        per_device_train_batch_size=train.micro_batch_size,
        per_device_eval_batch_size=2 * train.micro_batch_size,
        gradient_accumulation_steps=accumulation,
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
        save_total_limit=2,
        load_best_model_at_end=validated,
        metric_for_best_model="score",
        greater_is_better=True,
        report_to=["tensorboard", "wandb"] if train.wandb else ["tensorboard"],
        run_name=recipe.name,
        remove_unused_columns=False,
        dataloader_num_workers=1,
    )
    if arguments.world_size != processes or (
        processes > 1 and PartialState().distributed_type == DistributedType.NO
    ):
        raise RecipeError(
            f"{processes} processes were started, but they would not share gradients; use a "
            "config of recipes/accelerate"
        )
    return arguments


def _processes() -> int:
    """How many `accelerate launch` started; whether they talk to each other is known later."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _accumulation(train: TrainBlock, processes: int) -> int:
    """Micro-batches that each process computes for one step.

    Raises:
        RecipeError: the batch cannot be shared so.
    """
    at_once = train.micro_batch_size * processes
    if train.batch_size % at_once:
        raise RecipeError(
            f"train.batch_size is {train.batch_size}, no multiple of train.micro_batch_size x "
            f"processes = {train.micro_batch_size} x {processes}; change one of them"
        )
    return train.batch_size // at_once


def _train_block(recipe: Recipe) -> TrainBlock:
    if recipe.train is None:
        raise RecipeError(f"recipe {recipe.name}: no train block, so there is nothing to train")
    return recipe.train


logging.getLogger("deepspeed").setLevel(logging.WARNING)
