"""One training run, from recipe to adapter, for `python -m fmau.train`.

Every process that `accelerate launch` starts runs `train_adapter`.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from rich.box import SIMPLE_HEAD
from rich.table import Table
from transformers import EarlyStoppingCallback, ProgressCallback, TrainingArguments, set_seed

from fmau.core.errors import FmauError, RecipeError, RunError
from fmau.core.files import write_whole
from fmau.core.output import SafeConsole
from fmau.dataset.clips import clip_paths
from fmau.dataset.training import TrainingData, load_training_data, require_validation
from fmau.families.encode import Encoder
from fmau.families.find import family_of
from fmau.families.load import load_config, load_encoder
from fmau.frames.cache import FrameCache
from fmau.prompting.prompts import PromptSet, prompts_of
from fmau.recipe import Recipe, TrainBlock
from fmau.report.charts.training import training_page
from fmau.runs.manifest import Session, utc_now
from fmau.train.adapter import add_adapter, trained_table
from fmau.train.base import load_base
from fmau.train.batches import (
    Collator,
    ExampleDataset,
    SequenceDataset,
    Tensors,
    collate_sequences,
)
from fmau.train.branching import enable_branches
from fmau.train.checkpoints import remove_incomplete, resume_point
from fmau.train.estimate import Shape, loader_bytes
from fmau.train.plan import Sizes, measure, plan_rows
from fmau.train.record import new_record
from fmau.train.settings import (
    check_shared_memory,
    check_sharing,
    launched_processes,
    sharing,
    training_arguments,
)
from fmau.train.start import check_start, training_conditions
from fmau.train.trainer import AdapterTrainer, CompleteMarker
from fmau.train.validation import closed_questions, label_questions


@dataclass(frozen=True, slots=True)
class Materials:
    """The inputs of a training run; read once, before the model is loaded.

    Attributes:
        train: the recipe's train block.
        data: the examples; all their clips are in `cache`.
        cache: the frames of the clips.
        encoder: encodes prompts for the base model.
        prompts: the prompt set of the recipe.
    """

    train: TrainBlock
    data: TrainingData
    cache: FrameCache
    encoder: Encoder
    prompts: PromptSet


def train_adapter(recipe: Recipe) -> Path:
    """Train the recipe's adapter; continues from the last checkpoint if there is one.

    Returns:
        Folder of the best adapter, RUN/adapter, in PEFT's format.

    Raises:
        RecipeError: the recipe has no `train` block, the processes cannot share its batches, or
            they do not work together as `accelerate launch` asks, or shared memory is short.
        TrainingError: the loss is not finite.
        RunError: the frame cache lacks clips, a clip has changed, training started under other
            conditions, or its last checkpoint is damaged.
    """
    session = Session.start("train")
    materials = load_materials(recipe)
    # The plan builds a model on one process only. That must happen before the Trainer's settings
    # exist: after them ZeRO-3 splits every new model and waits until all processes build it.
    config = load_config(recipe.model.path, recipe.model.revision)
    sizes = _sizes(recipe, materials)
    plan = _plan_table(recipe, materials.train, config, sizes)
    arguments = training_arguments(
        recipe, materials.train, validated=bool(materials.data.validation)
    )
    state = PartialState()
    console = SafeConsole(stderr=True, quiet=not state.is_main_process)
    adapter = recipe.run_folder / "adapter"
    beginning = _decided_by_one(lambda: _begin(recipe, materials, arguments))
    if beginning.finished:
        console.print(f"{adapter} is finished; delete it to write it anew from the checkpoints")
        return adapter
    check_shared_memory(
        loader_bytes(Shape.of(config), sizes.mean, arguments.per_device_eval_batch_size)
    )
    trainer = build_trainer(recipe, materials, arguments)
    check_sharing(trainer.accelerator.distributed_type)
    console.print(trained_table(trainer.model, materials.train))
    console.print(plan)
    try:
        trainer.train(resume_from_checkpoint=beginning.checkpoint)
    finally:
        _close_progress(trainer)
    trainer.save_model(str(adapter))
    if state.is_main_process:
        # The Trainer also saves its arguments as a pickle. Loading a pickle can run any code, so
        # an adapter folder that people share should not contain one.
        (adapter / "training_args.bin").unlink(missing_ok=True)
        log = trainer.state.log_history
        write_whole(recipe.run_folder / "training.json", json.dumps(log, indent=1))
        write_whole(recipe.run_folder / "training.html", training_page(log, recipe.name))
        session.ended = utc_now()
        facts = {"processes": state.num_processes, **trainer.outcome()}
        source = materials.train.data
        new_record(recipe, source, materials.data, session, **facts).save(adapter)
    return adapter


def _close_progress(trainer: AdapterTrainer) -> None:
    """End the line of the progress bar, so that an error gets a line of its own."""
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, ProgressCallback) and callback.training_bar is not None:
            callback.training_bar.close()


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a start of training begins.

    Attributes:
        finished: the adapter is complete, so nothing is left to do.
        checkpoint: folder of the checkpoint to continue from; None to begin with the first step.
    """

    finished: bool
    checkpoint: str | None


def _begin(recipe: Recipe, materials: Materials, arguments: TrainingArguments) -> Beginning:
    """Compare this start with the first one and choose the checkpoint to continue from."""
    present = training_conditions(
        recipe, materials.train, materials.data, materials.prompts, materials.cache
    )
    folder = Path(arguments.output_dir)
    if check_start(recipe.run_folder, present):
        return Beginning(True, None)
    remove_incomplete(folder)
    processes = arguments.world_size
    checkpoint = resume_point(folder, sharing=sharing(arguments), processes=processes)
    return Beginning(False, str(checkpoint) if checkpoint else None)


def _decided_by_one(decide: Callable[[], Beginning]) -> Beginning:
    """Let the first process decide for all; if it cannot, all of them raise its error."""
    decision: list[Any] = [None, None]
    if PartialState().is_main_process:
        try:
            decision = [decide(), None]
        except FmauError as error:
            decision = [None, str(error)]
    broadcast_object_list(decision)
    beginning, error_text = decision
    if beginning is None:
        raise RunError(error_text)
    return cast(Beginning, beginning)


def load_materials(recipe: Recipe) -> Materials:
    """Read all inputs of a training run.

    Raises:
        RecipeError: the recipe has no `train` block, its prompts are unusable, the processor cannot
            be loaded, or the frames are not what the model takes.
        InputError: the training files have defects.
        RunError: the frame cache was made with other frame settings, it lacks clips and
            `train.data.skip_bad_clips` is false, or clips have changed since.
    """
    train = recipe.train
    recipe.check_weights("training")
    if train is None:
        raise RecipeError(f"recipe {recipe.name}: no train block, so there is nothing to train")
    family = family_of(recipe.model)
    family.check_frames(recipe.frames)
    data = load_training_data(train)
    cache = FrameCache(train.data.cache)
    cache.check_spec(recipe.frames)
    missing = cache.missing(data.clips())
    if missing and not train.data.skip_bad_clips:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise RunError(
            f"{train.data.cache} lacks {len(missing)} clip(s): {shown}; run fmau frames RECIPE, "
            "which adds them or says why it cannot, or set train.data.skip_bad_clips to true to "
            "train without them"
        )
    data = data.without(set(missing))
    require_validation(train, data)
    paths, _ = clip_paths(train.data.clips, {clip: clip for clip in data.clips()})
    changed = cache.changed(paths)
    if changed:
        shown = ", ".join(changed[:5]) + (", ..." if len(changed) > 5 else "")
        raise RunError(
            f"{train.data.cache}: {len(changed)} clip(s) have changed since their frames were "
            f"extracted: {shown}; run fmau frames RECIPE, which extracts them again"
        )
    encoder = load_encoder(recipe.model, family)
    return Materials(train, data, cache, encoder, prompts_of(recipe))


def _sizes(recipe: Recipe, materials: Materials) -> Sizes:
    """Sizes of the run's sequences, measured on a sample."""
    groups = materials.data.sequences(materials.train.examples_per_sequence)
    frames = materials.cache[materials.cache.names[0]]
    return measure(groups, materials.encoder, materials.prompts, frames, recipe.frames)


def _plan_table(recipe: Recipe, train: TrainBlock, config: Any, sizes: Sizes) -> Table:
    """The plan of the run as a table for the terminal."""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    gpus = [name] * launched_processes() if name else []
    table = Table(box=SIMPLE_HEAD, show_header=False)
    steps = train.steps(sizes.sequences)
    table.add_row("steps", f"{steps:,} of {train.batch_size} sequences")
    for row in plan_rows(config, train, recipe.model.dtype, sizes, gpus):
        table.add_row(*row)
    return table


def build_trainer(
    recipe: Recipe, materials: Materials, arguments: TrainingArguments
) -> AdapterTrainer:
    """Build the model, the datasets and the Trainer."""
    train, data = materials.train, materials.data
    set_seed(train.seed)
    model = add_adapter(load_base(recipe, train), train.lora)
    tokenizer = materials.encoder.processor.tokenizer
    encoded: dict[str, Any] = {
        "cache": materials.cache,
        "encoder": materials.encoder,
        "prompts": materials.prompts,
        "length_exponent": train.length_exponent,
    }
    collate_examples = Collator(tokenizer.pad_token_id)
    learned: ExampleDataset | SequenceDataset
    collate: Callable[..., Tensors]
    if train.examples_per_sequence == 1:
        learned, collate = ExampleDataset(data.train, **encoded), collate_examples
    else:
        groups = data.sequences(train.examples_per_sequence)
        enable_branches(model)
        learned = SequenceDataset(groups, config=model.get_base_model().config, **encoded)
        collate = partial(collate_sequences, attention=train.attention)
    train.steps(len(learned))  # raises now if there are fewer sequences than one batch needs
    callbacks: list[Any] = [CompleteMarker(PartialState().wait_for_everyone, sharing(arguments))]
    if train.patience is not None and data.validation:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=train.patience))
    return AdapterTrainer(
        train=train,
        questions=closed_questions(
            data.validation, tokenizer, train.validation_examples, train.seed
        ),
        label_questions=label_questions(data.validation, train.validation_replies, train.seed),
        model=model,
        args=arguments,
        train_dataset=learned,
        eval_dataset=ExampleDataset(data.validation, **encoded),
        data_collator=collate,
        collate_questions=collate_examples,
        tokenizer=tokenizer,
        max_reply_tokens=recipe.answer.max_tokens_open,
        callbacks=callbacks,
    )


logging.getLogger("deepspeed").setLevel(logging.WARNING)
