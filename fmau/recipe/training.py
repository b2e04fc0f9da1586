"""The training block of a recipe: data, mixture, adapter, optimizer, validation.

How many processes share the work, and how, is no part of an experiment: it is said by the config
file given to `accelerate launch` (recipes/accelerate). `batch_size` is therefore the whole one.
"""

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fmau.core.errors import RecipeError
from fmau.recipe.blocks import Block

View = Literal["caption", "field", "CMAR", "FMAR", "SAD", "MAD", "MAS", "PPR", "MADU", "MARE"]
"""A kind of training example that is derived from a captioned clip, see `fmau.dataset.examples`."""

Share = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(gt=0)]


class TrainDataBlock(Block):
    """What is learned from.

    Attributes:
        captions: file of clips with five-field captions.
        dialogues: file of ready-made exchanges (`messages` or `conversations` with `videos`).
        clips: folder that holds every clip of these files as NAME.mp4.
        cache: folder for the extracted frames; `fmau frames` fills it.
        benchmarks: question files whose clips must not be trained on.
        validation_share: part of the captioned clips kept for validation, by whole participants.
        skip_bad_clips: leave out clips that cannot be read instead of stopping.
    """

    captions: Path | None = None
    dialogues: Path | None = None
    clips: Path
    cache: Path
    benchmarks: tuple[Path, ...]
    validation_share: Share = 0.05
    skip_bad_clips: bool = False

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.captions is None and self.dialogues is None:
            raise ValueError("nothing to learn from: give captions, dialogues or both")
        return self


class LoraBlock(Block):
    """The adapter.

    Attributes:
        rank, alpha: of the low-rank updates, which are scaled by alpha / rank.
        dropout: share of the updates' inputs that is zeroed in training.
        language, vision, merger: which parts of the model get updates.
        base_4bit: keep the frozen weights in 4-bit NF4 (QLoRA; needs a GPU and bitsandbytes).
    """

    rank: Annotated[int, Field(ge=1)] = 16
    alpha: Annotated[float, Field(gt=0)] = 32
    dropout: Share = 0.0
    language: bool = True
    vision: bool = False
    merger: bool = False
    base_4bit: bool = False

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.language or self.vision or self.merger):
            raise ValueError("nothing to train: switch on language, vision or merger")
        return self


class TrainBlock(Block):
    """How an adapter is trained.

    Attributes:
        mixture: view -> mean number of examples derived per captioned clip.
        seed: of mixture, order and initial weights.
        epochs: passes over the examples.
        examples_per_sequence: so many examples about one clip, at most, share its frames in one
            sequence and are computed together; the loss is the same as one by one. Needs sdpa or
            eager attention.
        batch_size: sequences per optimizer step, over all processes.
        micro_batch_size: sequences that one process computes at once.
        learning_rate: peak rate of the language model's updates.
        vision_learning_rate, merger_learning_rate: of theirs; None for a tenth of `learning_rate`.
        warmup_share: part of the steps with a rising rate; then it falls to 0 by a cosine.
        weight_decay, max_grad_norm: of AdamW, and where gradients are clipped.
        length_exponent: an answer of n tokens weighs n ** length_exponent in the loss: 1 counts
            tokens, as is usual; 0 counts answers, so that a letter weighs as much as a caption.
        gradient_checkpointing: compute activations twice to keep them once.
        attention: implementation; flash_attention_2 needs its package and a GPU.
        steps_between_validations: optimizer steps; a checkpoint is written at each too.
        validation_examples: closed questions of validation clips that are answered each time.
        validation_replies: questions of validation clips that are answered in full each time; the
            labels that the replies end in are compared.
        patience: validations without a better score before training stops; None to go on.
        wandb: log to Weights & Biases too, beside TensorBoard.
    """

    data: TrainDataBlock
    mixture: Annotated[dict[View, Annotated[float, Field(gt=0)]], Field(min_length=1)]
    lora: LoraBlock = LoraBlock()
    seed: int = 0
    epochs: Rate = 1.0
    examples_per_sequence: Annotated[int, Field(ge=1)] = 1
    batch_size: Annotated[int, Field(ge=1)] = 32
    micro_batch_size: Annotated[int, Field(ge=1)] = 4
    learning_rate: Rate = 1e-4
    vision_learning_rate: Rate | None = None
    merger_learning_rate: Rate | None = None
    warmup_share: Share = 0.05
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Rate = 1.0
    length_exponent: Annotated[float, Field(ge=0, le=1)] = 1.0
    gradient_checkpointing: bool = True
    attention: Literal["sdpa", "flash_attention_2", "eager"] = "sdpa"
    steps_between_validations: Annotated[int, Field(ge=1)] = 100
    validation_examples: Annotated[int, Field(ge=0)] = 512
    validation_replies: Annotated[int, Field(ge=0)] = 64
    patience: Annotated[int, Field(ge=1)] | None = None
    wandb: bool = False

    @model_validator(mode="after")
    def _whole_batches(self) -> Self:
        if self.batch_size % self.micro_batch_size:
            raise ValueError("batch_size is not a multiple of micro_batch_size")
        return self

    @model_validator(mode="after")
    def _maskable(self) -> Self:
        if self.examples_per_sequence > 1 and self.attention == "flash_attention_2":
            raise ValueError(
                "flash_attention_2 takes no mask, which examples_per_sequence above 1 needs; use "
                "sdpa, or 1"
            )
        return self

    def steps(self, sequences: int) -> int:
        """Optimizer steps of all epochs.

        An epoch is made of whole batches, so that every step weighs alike and any number of
        processes takes the same ones; the few sequences left over differ from epoch to epoch.

        Raises:
            RecipeError: there are fewer sequences than `batch_size`.
        """
        if sequences < self.batch_size:
            raise RecipeError(
                f"train.batch_size is {self.batch_size}, but there are only {sequences} sequences "
                "to train on; lower it, or ask for more in train.mixture"
            )
        return math.ceil(sequences // self.batch_size * self.epochs)
