"""Estimates against PyTorch's own counters on the real architecture at a small size."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from fmau.recipe import LoraBlock
from fmau.train.adapter import add_adapter
from fmau.train.branching import enable_branches
from fmau.train.estimate import (
    SequenceShape,
    Shape,
    forward_flops,
    hours,
    layer_bytes,
    loader_bytes,
    memory,
    positions,
    training_flops,
)
from fmau.train.packing import Conversation, collate, pack
from tests.processors import small_model
from tests.train.real_models import QWEN3_VL_8B

GROUPS, ROWS, COLUMNS = 4, 12, 10
PATCHES = ROWS * COLUMNS
LEARNED = 20


@pytest.fixture(scope="module")
def model() -> Any:
    return small_model()


@pytest.fixture(scope="module")
def inputs(model: Any) -> Any:
    video = model.config.video_token_id
    start, end = model.config.vision_start_token_id, model.config.vision_end_token_id
    group = [start, *[video] * (PATCHES // 4), end]
    ids = torch.tensor([[20] * 20 + group * GROUPS + [30] * 60])
    return {
        "input_ids": ids,
        "mm_token_type_ids": (ids == video).int() * 2,
        "pixel_values_videos": torch.randn(GROUPS * PATCHES, 3 * 2 * 16 * 16),
        "video_grid_thw": torch.tensor([[GROUPS, ROWS, COLUMNS]]),
        "logits_to_keep": LEARNED,
    }


def sequence(inputs: Any) -> SequenceShape:
    return SequenceShape(inputs["input_ids"].shape[1], LEARNED, GROUPS, PATCHES)


def counted(run: Any) -> float:
    # The counter does not know the CPU's fused attention; the plain one does the same work.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def test_a_forward_pass(model: Any, inputs: Any) -> None:
    vision, language = forward_flops(Shape.of(model.config), sequence(inputs))
    with torch.no_grad():
        seen = counted(
            lambda: model.model.get_video_features(
                inputs["pixel_values_videos"], inputs["video_grid_thw"], return_dict=True
            )
        )
        both = counted(lambda: model(**inputs))
    assert vision == pytest.approx(seen, rel=0.02)
    assert vision + language == pytest.approx(both, rel=0.02)


def test_a_forward_pass_of_branches(model: Any) -> None:
    branched = small_model()
    enable_branches(branched)
    inputs = inputs_of(BRANCHED)
    embedded = branched.get_input_embeddings()(inputs.pop("input_ids"))
    with torch.no_grad():
        found = counted(lambda: branched.model.language_model(inputs_embeds=embedded, **inputs))
    _, language = forward_flops(Shape.of(model.config), replace(BRANCHED, learned=0))
    assert language == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize("vision", [False, True], ids=["frozen vision", "adapted vision"])
def test_a_training_step(model: Any, inputs: Any, vision: bool) -> None:
    adapted = add_adapter(small_model(), LoraBlock(rank=1, vision=vision))
    found = counted(lambda: adapted(**inputs).logits.sum().backward())
    estimate = training_flops(
        Shape.of(model.config), sequence(inputs), vision_trained=vision, checkpointing=False
    )
    assert estimate == pytest.approx(found, rel=0.12)


def test_the_published_size_of_the_8b_model_costs_what_is_said_of_it() -> None:
    """About 2 operations per parameter and token, and twice that to pass gradients on."""
    shape = Shape(36, 4096, 12288, 4096, 1024, 151_936, 27, 1152, 4304, 1536, 4)
    clip = SequenceShape(tokens=1000, learned=50, groups=4, patches=952)
    _, language = forward_flops(shape, clip)
    assert language == pytest.approx(2 * 6.95e9 * 1000, rel=0.06)
    whole = training_flops(shape, clip, vision_trained=False, checkpointing=False)
    assert 2 * language < whole < 2.5 * language
    again = training_flops(shape, clip, vision_trained=False, checkpointing=True)
    assert again == pytest.approx(whole + language)


def test_memory_grows_with_what_is_computed_at_once_and_shrinks_with_checkpointing() -> None:
    shape = Shape(36, 4096, 12288, 4096, 1024, 151_936, 27, 1152, 4304, 1536, 4)
    clip = SequenceShape(tokens=1000, learned=50, groups=4, patches=952)
    usual: dict[str, Any] = {
        "stored_bytes": 17.5e9,
        "trained": 40_000_000,
        "number_bytes": 2,
        "shards": 1,
    }
    one = memory(shape, clip, at_once=1, checkpointing=False, **usual)
    four = memory(shape, clip, at_once=4, checkpointing=False, **usual)
    assert four.activations == pytest.approx(4 * one.activations)
    assert four.weights == one.weights == 17.5e9
    assert one.updates == 18 * 40e6
    saved = memory(shape, clip, at_once=4, checkpointing=True, **usual)
    assert saved.activations < four.activations / 8
    assert memory(
        shape, clip, at_once=1, checkpointing=True, **(usual | {"shards": 8})
    ).weights == pytest.approx(17.5e9 / 8)


BRANCHED = SequenceShape(tokens=180, learned=3, groups=4, patches=1, prefix=100)


def whole(length: int) -> SequenceShape:
    return SequenceShape(tokens=length, learned=1, groups=4, patches=1)


def kept_by_a_layer(dtype: torch.dtype, sequence: SequenceShape) -> tuple[Shape, float]:
    """Shape of a model with unlike widths, and what a layer of it keeps of a sequence, in bytes.

    The second layer keeps what two layers keep more than one; it is computed as on a GPU.
    """
    kept = []
    for layers in (1, 2):
        text = {"hidden_size": 520, "intermediate_size": 1800, "num_hidden_layers": layers}
        heads = {"num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 64}
        rope = {"rope_type": "default", "mrope_section": [12, 10, 10], "mrope_interleaved": True}
        vision = {"depth": 1, "hidden_size": 64, "intermediate_size": 64, "num_heads": 2}
        config = Qwen3VLConfig(
            text_config=text | heads | {"vocab_size": 99, "rope_scaling": rope},
            vision_config=vision | {"out_hidden_size": 520, "deepstack_visual_indexes": [0]},
        )
        base = Qwen3VLForConditionalGeneration(config).to(dtype)
        adapted = add_adapter(base, LoraBlock(rank=1)).train()
        enable_branches(adapted)
        frozen = {weight.untyped_storage().data_ptr() for weight in adapted.parameters()}
        storages: dict[int, torch.UntypedStorage] = {}

        def keep(
            tensor: torch.Tensor,
            frozen: set[int] = frozen,
            storages: dict[int, torch.UntypedStorage] = storages,
        ) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in frozen:
                storages[storage.data_ptr()] = storage
            return tensor

        with (
            torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
            torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16),
        ):
            output = adapted(**inputs_of(sequence), logits_to_keep=1, use_cache=False)
        assert output.logits.requires_grad
        kept.append(sum(storage.nbytes() for storage in storages.values()))
    return Shape.of(config), kept[1] - kept[0]


def inputs_of(sequence: SequenceShape) -> dict[str, Any]:
    """Any tokens in a sequence of this shape."""
    if sequence.prefix:
        prefix = [1, *[5] * int(sequence.prefix - 1)]
        branch = [[*prefix, 6 + number, *[5] * 18] for number in range(4)]
        packed = pack(
            [Conversation(prompt, [3]) for prompt in branch],
            torch.tensor([[1, 2, 2]]),
            1,
            lambda ids, **_: (torch.arange(ids.shape[1]).expand(3, 1, -1), ids),
            1.0,
        )
        batch = collate([packed], "sdpa")
        return {name: batch[name] for name in ("input_ids", "position_ids", "branches")}
    length = int(sequence.tokens)
    return {
        "input_ids": torch.ones(1, length, dtype=torch.long),
        "attention_mask": torch.ones(1, 1, length, length, dtype=torch.bool).tril(),
        "position_ids": torch.arange(length).expand(3, 1, length),
    }


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize(
    "sequence", [whole(150), whole(400), BRANCHED], ids=["150", "400", "branches"]
)
def test_activations_are_what_autograd_keeps(dtype: torch.dtype, sequence: SequenceShape) -> None:
    shape, kept = kept_by_a_layer(dtype, sequence)
    assert layer_bytes(shape, dtype.itemsize, sequence) == pytest.approx(kept, rel=0.02)


def test_an_8b_layer_keeps_what_was_measured() -> None:
    """The same measurement at the published widths, with 256 tokens and rank 16: 243,976 bytes,
    9,468 of them copies of the adapter, which do not grow with the tokens."""
    kept = layer_bytes(Shape.of(QWEN3_VL_8B), 2, whole(256)) / 256
    assert kept == pytest.approx(243_976 - 9_468, rel=0.005)


def test_logits_are_computed_wherever_any_sequence_learns() -> None:
    rng = np.random.default_rng(0)
    sequence = SequenceShape(tokens=1000, learned=60, groups=4, patches=952)
    for at_once in (1, 2, 4):
        learned = [rng.permutation(1000)[:60] for _ in range(200 * at_once)]
        unions = [
            len(set(np.concatenate(learned[start : start + at_once])))
            for start in range(0, len(learned), at_once)
        ]
        assert positions(sequence, at_once) == pytest.approx(np.mean(unions), rel=0.02)


def test_a_loader_holds_three_batches_of_pixels(model: Any, inputs: Any) -> None:
    pixels = inputs["pixel_values_videos"]
    held = loader_bytes(Shape.of(model.config), sequence(inputs), at_once=2)
    assert held == 3 * 2 * pixels.nbytes


def test_time_is_told_for_gpus_that_are_known() -> None:
    assert hours(0.4 * 989e12 * 3600, "NVIDIA H200", 1) == pytest.approx(1.0)
    assert hours(0.4 * 989e12 * 3600, "NVIDIA H200", 4) == pytest.approx(0.25)
    assert hours(1e15, "NVIDIA Voodoo 2", 1) is None
