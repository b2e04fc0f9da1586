"""The training block of a recipe: data, mixture, adapter, optimizer, validation.

The number of processes is not part of an experiment. The config file for `accelerate launch`
(recipes/accelerate) sets it. So `batch_size` counts the sequences of all processes together.
"""

import math
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fmau.core.errors import RecipeError
from fmau.recipe.blocks import Block

View = Literal["caption", "field", "CMAR", "FMAR", "SAD", "MAD", "MAS", "PPR", "MADU", "MARE"]
"""A kind of training example that is derived from a captioned clip, see `fmau.dataset.examples`."""


def _one_group(pattern: str) -> str:
    """Check a regular expression with one group, which is what it takes from a name."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if groups != 1:
        raise ValueError(f"has {groups} groups; put brackets around the one part to take")
    return pattern


NamePattern = Annotated[str, AfterValidator(_one_group)]
"""A regular expression that takes one part out of a clip's name, such as "([0-9]{4})_.*"."""

Share = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(gt=0)]


class TrainDataBlock(Block):
    """The training data.

    Attributes:
        captions: file of clips with five-field captions.
        dialogues: file of ready-made exchanges (`messages` or `conversations` with `videos`).
        clips: folder that holds every clip of these files as NAME.mp4.
        cache: folder of the frame cache; `fmau frames` fills it.
        participant_pattern: regular expression with one group. It must match the whole name of a
            clip whose row names no participant; the group is the participant.
        label_pattern: the same for the micro-action of every clip; the group is a code or label of
            the taxonomy, and must agree with the label of the row, if it has one.
        benchmarks: question files whose clips must not be trained on.
        validation_share: share of the captioned clips that is kept for validation; the split is by
            participant. Dialogues alone need 0.
        skip_bad_clips: train without clips that cannot be read, instead of stopping.
    """

    captions: Path | None = None
    dialogues: Path | None = None
    clips: Path
    cache: Path
    participant_pattern: NamePattern | None = None
    label_pattern: NamePattern | None = None
    benchmarks: tuple[Path, ...]
    validation_share: Share = 0.05
    skip_bad_clips: bool = False

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.captions is None and self.dialogues is None:
            raise ValueError("nothing to learn from: give captions, dialogues or both")
        return self

    @model_validator(mode="after")
    def _validated_by_captions(self) -> Self:
        if self.captions is None and self.validation_share > 0:
            raise ValueError(
                "validation asks questions that only captions yield: set validation_share to 0, "
                "which keeps the last weights, or give captions too"
            )
        return self


class LoraBlock(Block):
    """The adapter.

    Attributes:
        rank, alpha: rank of the low-rank updates; they are scaled by alpha / rank.
        dropout: share of the updates' inputs that is set to zero in training.
        language, vision, merger: whether this part of the model gets updates.
        base_4bit: store the language model's frozen weights in 4-bit NF4 (QLoRA; needs a GPU and
            bitsandbytes).
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
            raise ValueError("nothing to train: set language, vision or merger to true")
        return self


class TrainBlock(Block):
    """How an adapter is trained.

    Attributes:
        data: the training data.
        mixture: view -> mean number of examples derived from each captioned clip.
        lora: the adapter.
        seed: seed of the mixture, the order of examples and the initial weights.
        epochs: number of passes over the examples.
        examples_per_sequence: the most examples about one clip that are packed into one sequence,
            in which the clip is encoded once; the loss is the same as without packing.
        batch_size: sequences per optimizer step, over all processes.
        micro_batch_size: the most sequences that one process computes at the same time; fewer if
            that divides its share of the batch. It changes memory and speed, no result.
        learning_rate: peak learning rate of the language model's updates.
        vision_learning_rate, merger_learning_rate: the same for the updates of these parts; None
            for a tenth of `learning_rate`.
        warmup_share: share of the steps in which the rate rises; then it falls to 0 along a cosine.
        weight_decay, max_grad_norm: weight decay of AdamW, and norm at which gradients are clipped.
        length_exponent: an answer of n tokens has the weight n ** length_exponent in the loss. With
            1 every token counts alike, as usual; with 0 every answer does, be it a letter or a
            caption.
        gradient_checkpointing: compute activations again in the backward pass, to save memory.
        attention: implementation of attention; flash_attention_2 needs its package and a GPU.
        steps_between_validations: optimizer steps between validations and between checkpoints.
        validation_examples: number of closed validation questions answered at each validation.
        validation_replies: number of validation questions answered with a full reply each time;
            the label at the end of the reply is compared.
        patience: training stops after this many validations without a better score; None for never.
        wandb: log to Weights & Biases in addition to TensorBoard.
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
    def _validation_asks(self) -> Self:
        asked = self.validation_examples + self.validation_replies
        if self.data.validation_share > 0 and not asked:
            raise ValueError(
                "validation would ask nothing: set validation_examples or validation_replies above "
                "0, or data.validation_share to 0, which keeps the last weights"
            )
        if self.data.validation_share == 0 and self.patience is not None:
            raise ValueError(
                "patience counts validations, but data.validation_share is 0, so there are none; "
                "leave patience out, or hold clips out"
            )
        return self

    def steps(self, sequences: int) -> int:
        """Number of optimizer steps of all epochs.

        An epoch consists of full batches only, so that all steps have the same weight and do not
        depend on the number of processes. Other sequences are left over in each epoch.

        Raises:
            RecipeError: there are fewer sequences than `batch_size`.
        """
        if sequences < self.batch_size:
            raise RecipeError(
                f"train.batch_size is {self.batch_size}, but there are only {sequences} sequences "
                "to train on; lower train.batch_size, or increase the numbers in train.mixture"
            )
        return math.ceil(sequences // self.batch_size * self.epochs)
