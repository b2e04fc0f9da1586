"""How much computing and memory a training run takes, from the shape of the model alone.

Array suffixes do not occur here; sizes are in tokens, bytes and floating-point operations, a
multiplication and an addition counting as two.
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
"""Dense bfloat16 peak by makers' data sheets; the name is part of what the driver calls the GPU."""

REACHED = 0.4
"""Share of the peak that training is taken to reach."""

REFERENCE = "H200"
"""The GPU for which time is told where there is none."""

GIB = 2**30

PATCHES_PER_TOKEN = 4
"""The merger makes one visual token of 2 x 2 patches."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a Qwen3-VL model.

    Attributes:
        layers, hidden, ffn: of the language model.
        query, key: widths of all query heads and of all key heads together.
        vocabulary: tokens.
        vision_layers, vision_hidden, vision_ffn: of the vision tower.
        patch_values: numbers in one patch of two frames.
        mergers: the last one and those of deepstack.
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
        """The shape that a `Qwen3VLConfig` describes."""
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
            mergers=1 + len(vision.deepstack_visual_indexes),
        )


@dataclass(frozen=True, slots=True)
class SequenceShape:
    """The mean sequence of a run.

    Attributes:
        tokens: all of them.
        learned: those that carry loss.
        groups: of two frames.
        patches: in one group; `PATCHES_PER_TOKEN` of them make a visual token.
    """

    tokens: float
    learned: float
    groups: int
    patches: int


def forward_flops(shape: Shape, sequence: SequenceShape) -> tuple[float, float]:
    """Operations of one forward pass: of vision tower with mergers, and of the language model.

    Attention is counted over all pairs of tokens, as a kernel with a mask computes it.
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
    all_pairs = 4 * shape.query * sequence.tokens
    head = 2 * shape.hidden * shape.vocabulary * sequence.learned
    return vision, shape.layers * sequence.tokens * (a_token + all_pairs) + head


def training_flops(
    shape: Shape, sequence: SequenceShape, *, vision_trained: bool, checkpointing: bool
) -> float:
    """Operations that learning from one sequence takes with an adapter.

    Gradients pass through frozen layers and stop at their weights, so a backward pass costs as much
    as a forward pass (its attention twice as much). A frozen vision tower needs none. The updates
    themselves, some hundredths of the layers they adapt, are left out.
    """
    vision, language = forward_flops(shape, sequence)
    attention = shape.layers * 4 * shape.query * sequence.tokens**2
    again = language if checkpointing else 0.0
    trained = 2 * language + attention + again
    return trained + (vision * (3 if checkpointing else 2) if vision_trained else vision)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that one process needs on its device, at their highest."""

    weights: float
    updates: float
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """All of it."""
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
    """An estimate, good to about a third.

    A layer keeps 34 bytes per token and unit of width in half precision (V. Korthikanti et al.,
    Reducing Activation Recomputation in Large Transformer Models, 2022, equation 2 without the
    attention matrices, which no current kernel stores). With checkpointing it keeps its input, and
    one layer at a time the rest. A trained number takes 16 bytes: itself, its gradient and two
    moments in float32.

    Args:
        at_once: sequences that are computed together.
        stored_bytes: of all weights of the model, as they are held.
        trained: numbers of the adapter.
        number_bytes: of an activation: 2 or 4.
        shards: processes among which the weights are split; 1 if each holds all.
    """
    tokens = at_once * sequence.tokens
    a_layer = 17 * number_bytes * shape.hidden * tokens
    kept = shape.layers * number_bytes * shape.hidden * tokens + a_layer
    return Memory(
        weights=stored_bytes / shards,
        updates=16.0 * trained,
        activations=kept if checkpointing else shape.layers * a_layer,
        # As they are, in float32, and their gradient.
        logits=(number_bytes + 8) * at_once * sequence.learned * shape.vocabulary,
    )


def hours(flops: float, gpu: str, processes: int) -> float | None:
    """Time on so many GPUs at `REACHED` of their peak; None for a GPU that is not known here."""
    peaks = [peak for name, peak in PEAK_TFLOPS.items() if name in gpu]
    return flops / (REACHED * peaks[0] * 1e12 * processes) / 3600 if peaks else None
