"""Estimates the compute and memory of a training run from the sizes of the model.

`fmau.train.plan` prints them. Units are tokens, bytes and floating-point operations; one
multiplication with one addition counts as two operations.
"""

from dataclasses import dataclass
from typing import Any, Self

PEAK_TFLOPS = {
    "H200": 989,
    "H100": 989,
    "A100": 312,
    "L40S": 362,
    "RTX 4090": 165,
    "RTX 3090": 71,
}
"""Dense bfloat16 peak by the makers' data sheets. A key is a part of the driver's GPU name."""

REACHED = 0.4
"""Share of the peak that training is assumed to reach."""

REFERENCE = "H200"
"""The GPU for which the time is estimated on a machine without a GPU."""

GIB = 2**30

LOADED_BATCHES = 3
"""One loader process keeps two batches ready while the third is computed (PyTorch's default)."""

PATCHES_PER_TOKEN = 4
"""The merger turns 2 x 2 patches into one visual token."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a Qwen3-VL model.

    Attributes:
        layers, hidden, ffn: number of layers and widths of the language model.
        query, key: total width of all query heads, and of all key heads.
        vocabulary: number of tokens in the vocabulary.
        vision_layers, vision_hidden, vision_ffn: the same of the vision tower.
        patch_values: values in one patch of two frames.
        mergers: number of mergers: the final one and those of deepstack.
    """

    layers: int
    hidden: int
    ffn: int
    query: int
    key: int
    vocabulary: int
    vision_layers: int
    vision_hidden: int
    vision_ffn: int
    patch_values: int
    mergers: int

    @classmethod
    def of(cls, config: Any) -> Self:
        """Read the shape from a `Qwen3VLConfig`."""
        text, vision = config.text_config, config.vision_config
        return cls(
            layers=text.num_hidden_layers,
            hidden=text.hidden_size,
            ffn=text.intermediate_size,
            query=text.num_attention_heads * text.head_dim,
            key=text.num_key_value_heads * text.head_dim,
            vocabulary=text.vocab_size,
            vision_layers=vision.depth,
            vision_hidden=vision.hidden_size,
            vision_ffn=vision.intermediate_size,
            patch_values=3 * vision.temporal_patch_size * vision.patch_size**2,
            mergers=1 + len(getattr(vision, "deepstack_visual_indexes", ())),
        )


@dataclass(frozen=True, slots=True)
class SequenceShape:
    """Sizes of the mean training sequence.

    Attributes:
        tokens: number of tokens.
        learned: number of tokens that count in the loss.
        groups: groups of two frames.
        patches: patches per group; `PATCHES_PER_TOKEN` of them make one visual token.
        prefix: tokens before the branches (`fmau.train.packing`); 0 for a sequence without any.
    """

    tokens: float
    learned: float
    groups: int
    patches: int
    prefix: float = 0

    @property
    def masked(self) -> float:
        """Pairs of tokens that attention computes with a mask; a prefix needs none."""
        return (self.tokens - self.prefix) * self.tokens

    @property
    def pairs(self) -> float:
        """Pairs of tokens that attention computes."""
        return self.masked + self.prefix**2


def forward_flops(shape: Shape, sequence: SequenceShape) -> tuple[float, float]:
    """Operations of one forward pass: (vision tower with mergers, language model).

    Attention is counted over all pairs of tokens, also over those that see nothing of each other:
    masked kernels compute all of them.
    """
    wide = shape.vision_hidden
    a_patch = 2 * shape.patch_values * wide
    a_patch += shape.vision_layers * 2 * (4 * wide**2 + 2 * wide * shape.vision_ffn)
    pairs = shape.vision_layers * 4 * wide * sequence.patches
    merged = (
        shape.mergers
        * 2
        * ((PATCHES_PER_TOKEN * wide) ** 2 + PATCHES_PER_TOKEN * wide * shape.hidden)
    )
    vision = sequence.groups * sequence.patches * (a_patch + pairs + merged / PATCHES_PER_TOKEN)

    a_token = 2 * (
        2 * shape.hidden * shape.query + 2 * shape.hidden * shape.key + 3 * shape.hidden * shape.ffn
    )
    a_layer = a_token * sequence.tokens + 4 * shape.query * sequence.pairs
    head = 2 * shape.hidden * shape.vocabulary * sequence.learned
    return vision, shape.layers * a_layer + head


def training_flops(
    shape: Shape, sequence: SequenceShape, *, vision_trained: bool, checkpointing: bool
) -> float:
    """Operations of training an adapter on one sequence.

    The backward pass computes gradients of activations but not of frozen weights. So it costs as
    much as the forward pass, and twice as much in attention. A frozen vision tower needs no
    backward pass. The low-rank updates are left out: they add only a few percent.
    """
    vision, language = forward_flops(shape, sequence)
    attention = shape.layers * 4 * shape.query * sequence.pairs
    again = language if checkpointing else 0.0
    trained = 2 * language + attention + again
    return trained + (vision * (3 if checkpointing else 2) if vision_trained else vision)


@dataclass(frozen=True, slots=True)
class Memory:
    """Peak memory of one process on its device, in bytes."""

    weights: float
    updates: float
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """The sum of all parts, in bytes."""
        return self.weights + self.updates + self.activations + self.logits


def memory(
    shape: Shape,
    sequence: SequenceShape,
    *,
    at_once: int,
    stored_bytes: float,
    trained: int,
    number_bytes: int,
    shards: int,
    checkpointing: bool,
) -> Memory:
    """Estimate the peak memory of one process; accurate to about a third.

    Every layer keeps `layer_bytes` of each sequence; with checkpointing it keeps only its input,
    and one layer at a time keeps the rest. A trained parameter takes 16 bytes: its value, its
    gradient and two moments, in float32; in half precision its copy for computing is kept too. A
    logit is kept as computed, as log-probability, as its gradient, and, in half precision, in
    float32 too.

    Args:
        at_once: sequences computed together (the micro-batch).
        stored_bytes: bytes of all weights of the model in their stored format.
        trained: number of parameters of the adapter.
        number_bytes: bytes of one activation value: 2 or 4.
        shards: number of processes that the weights are split among; 1 if each holds all.
        checkpointing: gradient checkpointing is on.
    """
    tokens = at_once * sequence.tokens
    a_layer = layer_bytes(shape, number_bytes, sequence) * at_once
    inputs = shape.layers * number_bytes * shape.hidden * tokens
    half = number_bytes < 4
    return Memory(
        weights=stored_bytes / shards,
        updates=(16.0 + (number_bytes if half else 0)) * trained,
        activations=inputs + a_layer if checkpointing else shape.layers * a_layer,
        logits=(14 if half else 12) * at_once * positions(sequence, at_once) * shape.vocabulary,
    )


def loader_bytes(shape: Shape, sequence: SequenceShape, at_once: int) -> int:
    """Bytes of the pixels (float32) of all batches that the loader of one process holds ready.

    Args:
        at_once: clips in a batch.
    """
    clip = 4 * sequence.groups * sequence.patches * shape.patch_values
    return LOADED_BATCHES * at_once * clip


def layer_bytes(shape: Shape, number_bytes: int, sequence: SequenceShape) -> float:
    """Bytes that a layer of the language model keeps of a sequence for the backward pass.

    Counted from Transformers' Qwen3-VL with an adapter on all linear layers: four tensors of the
    FFN's width (gate, its activation, up, their product), inputs of linear layers, queries before
    and after rotation, keys and values, and the mask. Where there is a mask, keys and values are
    repeated for all query heads; a prefix is computed without one. Norms keep their inputs in
    float32. PyTorch keeps the same: see tests/train/test_estimate.py.

    Args:
        number_bytes: bytes of one activation value: 2 or 4.
    """
    a_token = 4 * shape.ffn + 4 * shape.hidden + 5 * shape.query
    values = sequence.tokens * a_token + 2 * sequence.prefix * shape.key + sequence.masked
    if number_bytes == 4:
        return 4 * (values + sequence.tokens * shape.key)
    in_norms = sequence.tokens * (2 * shape.hidden + shape.query + shape.key)
    return number_bytes * (values + sequence.tokens * shape.hidden) + 4 * in_norms


def positions(sequence: SequenceShape, at_once: int) -> float:
    """Positions for which logits are computed in each sequence of a micro-batch.

    They are those where any of its sequences learns a token: the Trainer can only choose positions
    for all sequences alike. Sequences are assumed to learn at positions independent of each other.
    """
    share = sequence.learned / sequence.tokens
    return float(sequence.tokens * (1 - (1 - share) ** at_once))


def hours(flops: float, gpu: str, processes: int) -> float | None:
    """Hours that `flops` take on `processes` GPUs; None if `gpu` is not in `PEAK_TFLOPS`."""
    peaks = [peak for name, peak in PEAK_TFLOPS.items() if name in gpu]
    return flops / (REACHED * peaks[0] * 1e12 * processes) / 3600 if peaks else None
