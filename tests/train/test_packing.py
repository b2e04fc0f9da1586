"""Packing must not change the loss: it is compared with one forward pass per conversation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from fmau.demo.tiny.masked import collate_masked
from fmau.demo.tiny.model import new_model, new_processor
from fmau.demo.tiny.readouts import Choice
from fmau.demo.tiny.tokenizer import train_tokenizer
from fmau.train.branches import allow_branches
from fmau.train.packing import IGNORED, Conversation, Packed, collate, pack

pytestmark = pytest.mark.slow
CLIPS = [["Does it move?", "Which part, left or right, moves most?", "Hm"], ["What?", "Who is it?"]]


@pytest.fixture(scope="module")
def parts() -> Any:
    tokenizer = train_tokenizer([text for texts in CLIPS for text in texts], 300)
    model = new_model(tokenizer, seed=0).eval()
    allow_branches(model)
    return model, new_processor(tokenizer)


def conversation(processor: Any, question: Any, pixels_THWC: Any) -> Any:
    from transformers.video_utils import VideoMetadata

    turns = [
        {"role": "system", "content": "Watch."},
        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": question}]},
    ]
    text = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    return processor(
        text=[text],
        videos=[pixels_THWC],
        video_metadata=[
            VideoMetadata(fps=30.0, frames_indices=[0, 9, 18, 27], total_num_frames=28)
        ],
        do_sample_frames=False,
        do_resize=False,
        cap_pixels_per_frame=False,
        return_tensors="pt",
    )


@pytest.fixture(params=["sdpa", "eager"])
def attention(request: pytest.FixtureRequest, parts: Any) -> Any:
    """The implementation of attention that the model uses during the test."""
    parts[0].set_attn_implementation(request.param)
    yield request.param
    parts[0].set_attn_implementation("sdpa")


@pytest.mark.parametrize("batched", [collate, collate_masked])
@torch.no_grad()
def test_packed_loss_equals_the_losses_one_by_one(
    parts: Any, attention: str, batched: Callable[..., Any]
) -> None:
    if batched is collate_masked and attention == "eager":
        return  # the tiny checkpoint's lessons use the default attention alone
    model, processor = parts
    rng = np.random.default_rng(0)
    alone, packs, pixels, grids = 0.0, [], [], []
    for questions in CLIPS:
        frames = rng.integers(0, 255, (4, 64, 96, 3), dtype=np.uint8)
        pairs = []
        for question in questions:
            inputs = conversation(processor, question, frames)
            prompt = inputs["input_ids"][0].tolist()
            answer = processor.tokenizer(f"Yes {question}<|im_end|>")["input_ids"]
            ids = torch.tensor([prompt + answer])
            logits = model(
                input_ids=ids,
                mm_token_type_ids=(ids == model.config.video_token_id).int() * 2,
                pixel_values_videos=inputs["pixel_values_videos"],
                video_grid_thw=inputs["video_grid_thw"],
            ).logits[0, len(prompt) - 1 : -1]
            alone += cross_entropy(logits, torch.tensor(answer), reduction="sum").item()
            pairs.append(Conversation(prompt, answer))
        packs.append(packed(model, pairs, inputs["video_grid_thw"]))
        pixels.append(inputs["pixel_values_videos"])
        grids.append(inputs["video_grid_thw"])
    batch = batched(packs)
    labels = batch.pop("labels")[:, 1:]
    batch.pop("weights")
    logits = model(
        **batch, pixel_values_videos=torch.cat(pixels), video_grid_thw=torch.cat(grids)
    ).logits[:, :-1]
    kept = labels != IGNORED
    together = cross_entropy(logits[kept], labels[kept], reduction="sum").item()
    assert together == pytest.approx(alone, rel=1e-5)


@torch.no_grad()
def test_a_token_changes_nothing_before_it_nor_in_other_branches(parts: Any) -> None:
    model, _ = parts
    prefix = [1, model.config.video_token_id, 15]
    pairs = [Conversation([*prefix, 60, 61], [2, 3]), Conversation([*prefix, 70], [4, 5, 6])]
    small = packed(model, pairs[:1])

    def logits(*changed: int) -> torch.Tensor:
        batch = collate_masked([packed(model, pairs), small])
        for place in changed:
            batch["input_ids"][0, place] = 99
        inputs = {name: batch[name] for name in ("position_ids", "attention_mask")}
        embedded = model.get_input_embeddings()(batch["input_ids"])
        hidden = model.model.language_model(inputs_embeds=embedded, **inputs).last_hidden_state
        return model.lm_head(hidden)[0]

    assert packed(model, pairs).branch_L.tolist() == [0] * 3 + [1] * 4 + [2] * 4
    unchanged = logits()
    for place, affected in ((10, {10}), (4, {4, 5, 6}), (8, {8, 9, 10})):
        differs = (logits(place) - unchanged).abs().amax(-1) > 1e-4
        assert set(differs.nonzero()[:, 0].tolist()) == affected


def test_conversations_about_different_clips_are_refused(parts: Any) -> None:
    model, _ = parts
    video = model.config.video_token_id
    with pytest.raises(ValueError, match="do not share the video"):
        packed(model, [Conversation([1, video, 5], [2]), Conversation([3, video, 5], [2])])


def test_what_stands_in_a_prompt_is_found_wherever_its_branch_lies(parts: Any) -> None:
    model, _ = parts
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


def packed(
    model: Any, conversations: list[Conversation], grid_thw: torch.Tensor | None = None
) -> Packed:
    grid_thw = torch.tensor([[1, 2, 2]]) if grid_thw is None else grid_thw
    rule = model.model.get_rope_index
    return pack(conversations, grid_thw, model.config.video_token_id, rule, 1.0)
