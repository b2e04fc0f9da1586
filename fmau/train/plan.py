"""The plan of a training run: tokens, memory and time, estimated before it starts.

`fmau check` and `fmau.train.run` print it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fmau.dataset.examples.example import Example
from fmau.families.encode import Encoder
from fmau.families.layers import skeleton
from fmau.frames.clip import ClipFrames
from fmau.frames.tokens import token_grid
from fmau.prompting.conversation import Message
from fmau.prompting.prompts import PromptSet
from fmau.recipe import FramesBlock, TrainBlock
from fmau.train import estimate
from fmau.train.adapter import targets
from fmau.train.base import linear_in_4bit
from fmau.train.batches import conversation

LOOKED_AT = 64
"""About how many sequences are sampled to count tokens; the others are assumed to be similar."""

NF4_BYTES = 0.56
"""Bytes of one 4-bit weight, with its share of the quantization scales."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the sequences of a run.

    Attributes:
        mean: sizes of the mean sequence.
        longest: tokens of the longest sequence that was sampled.
        sequences: number of sequences in an epoch.
    """

    mean: estimate.SequenceShape
    longest: int
    sequences: int


def measure(
    groups: Sequence[Sequence[Example]],
    encoder: Encoder,
    prompts: PromptSet,
    frames: ClipFrames,
    spec: FramesBlock,
) -> Sizes:
    """Measure a sample of the sequences by tokenizing their texts.

    Args:
        groups: the examples of each sequence, all about one clip.
        frames: the frames of any one clip; all clips are assumed to have this size.
        spec: how it became frames.
    """
    (common,) = token_counts(encoder, [prompts.common])
    turns = conversation(groups[0][0], prompts)
    before, after = tokens_around(encoder, turns, frames)
    prefix = before + common
    lengths, learned = [], []
    for group in groups[:: math.ceil(len(groups) / LOOKED_AT)]:
        asked = [conversation(example, prompts) for example in group]
        own = [text - common for text in token_counts(encoder, map(_own_text, asked))]
        # + 1 for the end-of-turn token, which counts in the loss too.
        replies = [reply + 1 for reply in token_counts(encoder, (e.answer for e in group))]
        lengths.append(prefix + sum(own) + after * len(group) + sum(replies))
        learned.append(sum(replies))
    pairs, rows, columns = token_grid(spec, len(frames.jpegs), frames.height, frames.width)
    return Sizes(
        mean=estimate.SequenceShape(
            tokens=sum(lengths) / len(lengths),
            learned=sum(learned) / len(learned),
            groups=pairs,
            patches=estimate.PATCHES_PER_TOKEN * rows * columns,
            prefix=prefix if max(map(len, groups)) > 1 else 0,
        ),
        longest=max(lengths),
        sequences=len(groups),
    )


def plan_rows(
    config: Any, train: TrainBlock, dtype: str, sizes: Sizes, gpus: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the lines of the plan as (heading, text): tokens, memory, computing.

    Args:
        config: configuration of the base model.
        dtype: number format of the computation.
        gpus: names of the GPUs that train together; empty on a CPU.
    """
    shape, mean = estimate.Shape.of(config), sizes.mean
    seen = train.steps(sizes.sequences) * train.batch_size
    yield (
        "tokens",
        f"{mean.tokens:,.0f} a sequence, {mean.learned:,.0f} of them learned; {sizes.longest:,} in "
        f"the longest one sampled; {seen * mean.tokens / 1e6:,.1f} million in all",
    )
    flops = seen * estimate.training_flops(
        shape,
        mean,
        vision_trained=train.lora.vision or train.lora.merger,
        checkpointing=train.gradient_checkpointing,
    )
    _, updates = parameters(config, train)
    number_bytes = 2 if dtype == "bfloat16" else 4
    need = estimate.memory(
        shape,
        mean,
        at_once=train.micro_batch_size,
        stored_bytes=stored_bytes(config, train, number_bytes),
        trained=updates,
        number_bytes=number_bytes,
        shards=1,
        checkpointing=train.gradient_checkpointing,
    )
    parts = ("weights", "updates", "activations", "logits")
    each = ", ".join(f"{getattr(need, part) / estimate.GIB:.2f} {part}" for part in parts)
    yield (
        "memory",
        f"about {need.total / estimate.GIB:.1f} GiB a process ({each}), if each process holds the "
        "whole model; this estimate can be off by a third",
    )
    yield "computing", f"{flops / 1e15:,.1f} PFLOP; {_time(flops, gpus)}"


def parameters(config: Any, train: TrainBlock) -> tuple[int, int]:
    """Number of parameters of the model and of its adapter, without allocating them."""
    model = skeleton(config)
    wide = dict(model.named_modules())
    updates = sum(
        train.lora.rank * (wide[path].in_features + wide[path].out_features)
        for path in targets(model, train.lora)
    )
    return sum(parameter.numel() for parameter in model.parameters()), updates


def stored_bytes(config: Any, train: TrainBlock, number_bytes: int) -> float:
    """Bytes of the frozen weights as `fmau.train.base` loads them.

    Args:
        number_bytes: bytes of a weight that is not in 4 bits.
    """
    model = skeleton(config)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    wide = dict(model.named_modules())
    paths = linear_in_4bit(model) if train.lora.base_4bit else ()
    small = sum(wide[path].weight.numel() for path in paths)
    stored: float = NF4_BYTES * small + number_bytes * (numbers - small)
    return stored


def _time(flops: float, gpus: Sequence[str]) -> str:
    name = gpus[0] if gpus else estimate.REFERENCE
    hours = estimate.hours(flops, name, max(1, len(gpus)))
    if hours is None:
        return "time unknown for this GPU; the progress bar shows it after a few steps"
    length = f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"
    where = f"{len(gpus)} x {name}" if gpus else f"one {name}"
    return f"about {length} on {where} at {estimate.REACHED:.0%} of the peak"


def tokens_around(
    encoder: Encoder, turns: Sequence[Message], frames: ClipFrames
) -> tuple[int, int]:
    """Number of prompt tokens before the user's text (clip included), and after it."""
    inputs = encoder.encode(turns, frames)
    text = _own_text(turns)
    own, after = token_counts(encoder, [text, encoder.prompt(turns).rpartition(text)[2]])
    return int(inputs["input_ids"].shape[1]) - own - after, after


def _own_text(turns: Sequence[Message]) -> str:
    text: str = turns[-1]["content"][-1]["text"]
    return text


def token_counts(encoder: Encoder, texts: Iterable[str]) -> list[int]:
    """Number of tokens of each text, without special tokens."""
    return [len(encoder.tokens(text)) for text in texts]
