"""Packing must change neither losses nor gradients: against one forward pass per conversation."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.video_utils import VideoMetadata

from fmau.core.errors import RecipeError
from fmau.demo.tiny.readouts import Choice
from fmau.demo.tiny.samples import stacked
from fmau.recipe import LoraBlock
from fmau.train.adapter import add_adapter
from fmau.train.branching import enable_branches
from fmau.train.packing import IGNORED, Conversation, Packed, collate, pack
from tests.families.checkpoints import hybrid_model
from tests.processors import small_model, small_processor

pytestmark = pytest.mark.slow

CLIPS = [
    (64, ["Does it move?", "Which part, left or right, moves most?", "Hm"]),
    (96, ["What?", "Who is it?"]),
]
"""Height of a clip's frames, and questions about it. The prefixes differ in length, and so do the
numbers of branches, so that both are padded in a batch."""


def new(kind: str) -> Any:
    return small_model() if kind == "qwen3_vl" else hybrid_model(small_processor().tokenizer)


def adapted(kind: str, *, checkpointing: bool, dtype: torch.dtype, attention: str) -> Any:
    """A model with an adapter whose updates are not zero, as in the midst of training."""
    base = new(kind).to(dtype)
    base.set_attn_implementation(attention)
    if checkpointing:
        base.enable_input_require_grads()
    model = add_adapter(base, LoraBlock(rank=4))
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    if checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model.train()


@cache
def clips() -> list[tuple[Any, list[Conversation]]]:
    """For each clip, its pixels with their grid, and its conversations."""
    processor = small_processor()
    rng = np.random.default_rng(0)
    found = []
    for height, questions in CLIPS:
        frames = rng.integers(0, 255, (4, height, 96, 3), dtype=np.uint8)
        conversations = []
        for question in questions:
            inputs = encoded(question, frames)
            answer = processor.tokenizer(f"Yes {question}<|im_end|>")["input_ids"]
            conversations.append(Conversation(inputs["input_ids"][0].tolist(), answer))
        pixels = {name: inputs[name] for name in ("pixel_values_videos", "video_grid_thw")}
        found.append((pixels, conversations))
    return found


def encoded(question: str, pixels_THWC: Any) -> Any:
    processor = small_processor()
    turns = [
        {"role": "system", "content": "Watch."},
        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": question}]},
    ]
    times = VideoMetadata(fps=30.0, frames_indices=[0, 9, 18, 27], total_num_frames=28)
    return processor(
        text=[processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)],
        videos=[pixels_THWC],
        video_metadata=[times],
        do_sample_frames=False,
        do_resize=False,
        cap_pixels_per_frame=False,
        return_tensors="pt",
    )


def packs(model: Any) -> list[Packed]:
    return [
        packed(model, conversations, pixels["video_grid_thw"]) for pixels, conversations in clips()
    ]


def packed(
    model: Any, conversations: list[Conversation], grid_thw: torch.Tensor | None = None
) -> Packed:
    grid_thw = torch.tensor([[1, 2, 2]]) if grid_thw is None else grid_thw
    rule = model.model.get_rope_index
    return pack(conversations, grid_thw, model.config.video_token_id, rule, 1.0)


def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Summed over the labels of a batch."""
    inputs = {name: value for name, value in batch.items() if name not in {"labels", "weights"}}
    logits = model(**inputs, use_cache=False).logits[:, :-1].float()
    wanted = batch["labels"][:, 1:]
    return cross_entropy(logits.transpose(1, 2), wanted, ignore_index=IGNORED, reduction="sum")


def one_by_one(model: Any) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of one forward pass per conversation, by Transformers alone."""
    total = 0.0
    for pixels, conversations in clips():
        for conversation in conversations:
            ids = torch.tensor([[*conversation.prompt, *conversation.answer]])
            labels = ids.clone()
            labels[:, : len(conversation.prompt)] = IGNORED
            types = (ids == model.config.video_token_id).int() * 2
            alone = loss(
                model, {"input_ids": ids, "labels": labels, "mm_token_type_ids": types, **pixels}
            )
            alone.backward()
            total += alone.item()
    return total, gradients(model)


def together(model: Any, batch: dict[str, Any]) -> tuple[float, dict[str, torch.Tensor]]:
    every = [pixels for pixels, _ in clips()]
    joined = {name: torch.cat([pixels[name] for pixels in every]) for name in every[0]}
    total = loss(model, batch | joined)
    total.backward()
    return total.item(), gradients(model)


def gradients(model: Any) -> dict[str, torch.Tensor]:
    found = {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    model.zero_grad()
    return found


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The length of the difference of two gradients, as a share of the first one's length."""
    assert one.keys() == other.keys()
    differences = torch.cat([(one[name] - other[name]).flatten() for name in one])
    return float(differences.norm() / torch.cat([each.flatten() for each in one.values()]).norm())


@pytest.mark.parametrize("checkpointing", [False, True], ids=["kept", "checkpointing"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", ["qwen3_vl", "qwen3_5"])
def test_packed_teaches_what_one_by_one_teaches(
    kind: str, attention: str, checkpointing: bool
) -> None:
    model = adapted(kind, checkpointing=checkpointing, dtype=torch.float32, attention=attention)
    alone, expected = one_by_one(model)
    enable_branches(model)
    total, found = together(model, collate(packs(model.get_base_model()), attention))
    assert total == pytest.approx(alone, rel=1e-6)
    assert all(gradient.any() for gradient in expected.values())
    assert apart(expected, found) < 1e-5


@pytest.mark.parametrize("checkpointing", [False, True], ids=["kept", "checkpointing"])
@pytest.mark.parametrize("kind", ["qwen3_vl", "qwen3_5"])
def test_in_half_precision_packing_is_no_farther_off_than_one_by_one(
    kind: str, checkpointing: bool
) -> None:
    """As on GPUs: weights in bfloat16, updates in float32; against all of it in float32."""
    settings: dict[str, Any] = {"checkpointing": checkpointing, "attention": "sdpa"}
    exact, exactly = one_by_one(adapted(kind, dtype=torch.float32, **settings))
    model = adapted(kind, dtype=torch.bfloat16, **settings)
    with torch.autocast("cpu", torch.bfloat16):
        alone, expected = one_by_one(model)
        enable_branches(model)
        total, found = together(model, collate(packs(model.get_base_model()), "sdpa"))
    assert total == pytest.approx(exact, rel=5e-3)
    assert total == pytest.approx(alone, rel=5e-3)
    assert apart(exactly, found) < 1.5 * apart(exactly, expected) < 0.2


def test_without_branches_a_sequence_would_teach_a_hybrid_model_something_else() -> None:
    """What was wrong with a mask: linear attention does not see it."""
    model = adapted("qwen3_5", checkpointing=False, dtype=torch.float32, attention="sdpa")
    alone, expected = one_by_one(model)
    total, found = together(model, stacked(packs(model.get_base_model())))
    assert total != pytest.approx(alone, rel=1e-4)
    assert apart(expected, found) > 0.01


@torch.no_grad()
@pytest.mark.parametrize("kind", ["qwen3_vl", "qwen3_5"])
def test_a_token_changes_nothing_before_it_nor_in_other_branches(kind: str) -> None:
    model = new(kind).eval()
    enable_branches(model)
    prefix = [1, model.config.video_token_id, 15]
    pairs = [Conversation([*prefix, 60, 61], [2, 3]), Conversation([*prefix, 70], [4, 5, 6])]
    small = packed(model, pairs[:1])

    def logits(*changed: int) -> torch.Tensor:
        batch = collate([packed(model, pairs), small], "sdpa")
        for place in changed:
            batch["input_ids"][0, place] = 99
        inputs = {name: batch[name] for name in ("position_ids", "branches")}
        embedded = model.get_input_embeddings()(batch["input_ids"])
        hidden = model.model.language_model(inputs_embeds=embedded, **inputs).last_hidden_state
        return model.lm_head(hidden)[0]

    assert packed(model, pairs).branch_L.tolist() == [0] * 3 + [1] * 4 + [2] * 4
    unchanged = logits()
    for place, affected in ((10, {10}), (4, {4, 5, 6}), (8, {8, 9, 10}), (2, set(range(2, 11)))):
        differs = (logits(place) - unchanged).abs().amax(-1) > 1e-4
        assert set(differs.nonzero()[:, 0].tolist()) == affected


@torch.no_grad()
@pytest.mark.parametrize("kind", ["qwen3_vl", "qwen3_5"])
def test_a_model_that_takes_branches_answers_as_before(kind: str) -> None:
    model = new(kind).eval()
    inputs = encoded("Does it move?", np.zeros((4, 64, 96, 3), np.uint8))
    before = model.generate(**inputs, max_new_tokens=4)
    logits = model(**inputs).logits
    enable_branches(model)
    assert torch.equal(model(**inputs).logits, logits)
    assert torch.equal(model.generate(**inputs, max_new_tokens=4), before)


def like_flash_attention(
    _: Any, query: Any, key: Any, value: Any, real: Any, scaling: float = 1.0, **__: Any
) -> Any:
    """What flash attention computes of tokens that are not padding, sequence by sequence: its
    queries are the last ones of its keys."""
    if real is None:
        real = torch.ones(len(key), key.shape[2], dtype=torch.bool)
    output = torch.zeros_like(query)
    for row, is_real in enumerate(real):
        asks = is_real[-query.shape[2] :]
        count, keys = int(asks.sum()), int(is_real.sum())
        seen = torch.ones(count, keys, dtype=torch.bool).tril(keys - count)
        output[row, :, asks] = scaled_dot_product_attention(
            query[row, :, asks],
            key[row, :, is_real],
            value[row, :, is_real],
            attn_mask=seen,
            scale=scaling,
            enable_gqa=True,
        )
    return output.transpose(1, 2), None


@torch.no_grad()
@pytest.mark.parametrize("heights", [[0], [0, 1]], ids=["no padding", "padding"])
def test_flash_attention_gets_what_is_no_padding(heights: list[int]) -> None:
    model = new("qwen3_vl").eval()
    enable_branches(model)
    some = [packs(model)[place] for place in heights]

    def answers(attention: str) -> torch.Tensor:
        batch = collate(some, attention)
        inputs = {name: batch[name] for name in ("position_ids", "branches")}
        embedded = model.get_input_embeddings()(batch["input_ids"])
        hidden = model.model.language_model(inputs_embeds=embedded, **inputs).last_hidden_state
        learned: torch.Tensor = hidden[batch["labels"] != IGNORED]
        return learned

    expected = answers("sdpa")
    AttentionInterface.register("stand_in", like_flash_attention)
    AttentionMaskInterface.register("stand_in", lambda *_, **__: None)
    model.model.language_model.set_attn_implementation("stand_in")
    torch.testing.assert_close(answers("flash_attention_2"), expected, rtol=1e-4, atol=1e-5)


def test_a_window_that_slides_is_refused() -> None:
    model = new("qwen3_vl")
    model.config.text_config.layer_types = ["sliding_attention", "full_attention"] * 3
    with pytest.raises(RecipeError, match="this one has sliding_attention; set it to 1"):
        enable_branches(model)


def test_conversations_about_different_clips_are_refused() -> None:
    model = new("qwen3_vl")
    video = model.config.video_token_id
    with pytest.raises(ValueError, match="do not share the video"):
        packed(model, [Conversation([1, video, 5], [2]), Conversation([3, video, 5], [2])])


def test_what_stands_in_a_prompt_is_found_wherever_its_branch_lies() -> None:
    model = new("qwen3_vl")
    video = model.config.video_token_id
    first = Conversation([1, video, 15, 17, 70, 17, 71], [2])
    second = Conversation([1, video, 15, 16, 60, 18, 61, 19], [2, 3])
    both = packed(model, [first, second])
    choice = Choice(lines=((4, 6), (6, 8)), right=1, asked=7).moved(both.moved[1])
    lines = [both.ids_L[start:stop].tolist() for start, stop in choice.lines]
    assert lines == [[60, 18], [61, 19]]
    assert both.ids_L[choice.asked] == second.prompt[-1]
    assert all(set(both.branch_L[start:stop].tolist()) == {2} for start, stop in choice.lines)
    assert choice.right == 1


def test_the_mask_of_the_demo_teaches_the_same() -> None:
    model = adapted("qwen3_vl", checkpointing=False, dtype=torch.float32, attention="sdpa")
    alone, expected = one_by_one(model)
    total, found = together(model, stacked(packs(model.get_base_model())))
    assert total == pytest.approx(alone, rel=1e-6)
    assert apart(expected, found) < 1e-5
