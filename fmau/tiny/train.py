"""Train the tiny model: first to see, then to speak, then to answer.

Stage by stage (`STAGES`) the lessons get harder. In all of them an extra linear head reads the
body parts' positions off the vision features; it teaches the vision tower where limbs are long
before words could, and is thrown away at the end.

Array suffixes: B clips, L tokens, G temporal groups of two frames, N visual tokens of a group.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from torch import Tensor, nn
from transformers import Qwen3VLForConditionalGeneration, Qwen3VLProcessor

from fmau.tiny.curriculum import STAGES, TASKS, Stage, rate
from fmau.tiny.lessons import Lesson, LessonClip, LessonPool
from fmau.tiny.model import save_checkpoint
from fmau.tiny.pack import IGNORED, Packed, collate, pack

HELD_OUT = 520
"""The last clips of a pool, whose people appear in no other, are not trained on."""

LOG_STEPS = 20

SHORT_KINDS = (*TASKS, "part", "label", "hint")
"""Kinds whose answers are short enough to be held to every token."""

COORDINATES_PER_GROUP = 2 * 14 * 3
"""Two frames x 14 body parts x 3 axes, as the position head predicts them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip, ready for the model: packed conversations, pixels and position targets."""

    packed: Packed | None
    pixel_values: Tensor
    grid_thw: Tensor
    targets_GC: Tensor


class Reader(torch.utils.data.IterableDataset[list[Sample]]):
    """Endless batches of random clips with random lessons, made in a loader process."""

    def __init__(
        self,
        pool: LessonPool,
        processor: Qwen3VLProcessor,
        model: Qwen3VLForConditionalGeneration,
        stage: Stage,
        seed: int,
    ) -> None:
        self.pool, self.processor, self.model = pool, processor, model
        self.stage, self.seed = stage, seed

    def __iter__(self) -> Iterator[list[Sample]]:
        rng = np.random.default_rng(self.seed)
        while True:
            picks = rng.choice(len(self.pool) - HELD_OUT, self.stage.clips, replace=False)
            yield [
                make_sample(
                    clip,
                    choose(clip.lessons, self.stage, rng) if self.stage.lessons else (),
                    self.processor,
                    self.model,
                )
                for clip in (self.pool[int(pick)] for pick in picks)
            ]


def choose(lessons: Sequence[Lesson], stage: Stage, rng: np.random.Generator) -> list[Lesson]:
    """Draw the stage's number of lessons without replacement, by the frequency of their kinds."""
    weights = np.array([stage.kinds.get(lesson.kind, 0.0) for lesson in lessons])
    count = min(stage.lessons, int((weights > 0).sum()))
    picks = rng.choice(len(lessons), count, replace=False, p=weights / weights.sum())
    return [lessons[int(pick)] for pick in picks]


def make_sample(
    clip: LessonClip,
    lessons: Sequence[Lesson],
    processor: Qwen3VLProcessor,
    model: Qwen3VLForConditionalGeneration,
) -> Sample:
    """Patchify a clip's frames and pack its lessons behind them."""
    video = processor.video_processor(
        videos=[clip.frames.pixels_THWC()],
        do_sample_frames=False,
        do_resize=False,
        cap_pixels_per_frame=False,
        video_metadata=[clip.metadata()],
        return_metadata=True,
        return_tensors="pt",
    )
    grid_thw = video["video_grid_thw"]
    expanded = processor.replace_video_token(video, 0)
    conversations = []
    for lesson in lessons:
        text = processor.apply_chat_template(
            lesson.messages, add_generation_prompt=True, tokenize=False
        ).replace(processor.video_token, expanded)
        answer = lesson.answer + processor.tokenizer.eos_token
        conversations.append((_ids(processor, text), _ids(processor, answer)))
    return Sample(
        packed=pack(conversations, grid_thw, model) if conversations else None,
        pixel_values=video["pixel_values_videos"],
        grid_thw=grid_thw,
        targets_GC=torch.from_numpy(clip.positions.reshape(int(grid_thw[0, 0]), -1)),
    )


def _ids(processor: Qwen3VLProcessor, text: str) -> list[int]:
    return processor.tokenizer(text, add_special_tokens=False)["input_ids"]


def losses(
    model: Qwen3VLForConditionalGeneration, head: nn.Linear, samples: Sequence[Sample]
) -> tuple[Tensor, Tensor]:
    """(answer loss, position loss) of a batch; the answer loss is 0 for a batch without lessons."""
    grid_thw = torch.cat([sample.grid_thw for sample in samples])
    pixels = torch.cat([sample.pixel_values for sample in samples])
    seen = model.model.get_video_features(pixels, grid_thw, return_dict=True)
    features = torch.stack(list(seen.pooler_output))  # B, G*N, hidden
    groups = features.view(len(samples), int(grid_thw[0, 0]), -1)
    targets_BGC = torch.stack([sample.targets_GC for sample in samples])
    position_loss = nn.functional.smooth_l1_loss(head(groups), targets_BGC, beta=0.1)
    packs = [sample.packed for sample in samples if sample.packed is not None]
    if not packs:
        return torch.zeros(()), position_loss
    logits_NV, labels_N, weights_N = answer_logits(model, packs, grid_thw, seen)
    losses_N = nn.functional.cross_entropy(logits_NV, labels_N, reduction="none")
    return (losses_N * weights_N).sum() / weights_N.sum(), position_loss


def answer_logits(
    model: Qwen3VLForConditionalGeneration, packs: Sequence[Packed], grid_thw: Tensor, seen: object
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits where an answer token is predicted, these tokens and their weights, of all clips."""
    batch = collate(packs)
    labels_BL, weights_BL = batch.pop("labels")[:, 1:], batch.pop("weights")[:, 1:]
    output = model.model(
        **batch, video_grid_thw=grid_thw, mm_encoder_outputs={"video": seen}, use_cache=False
    )
    predicts = labels_BL != IGNORED
    hidden_NH = output.last_hidden_state[:, :-1][predicts]
    return model.lm_head(hidden_NH), labels_BL[predicts], weights_BL[predicts]


@torch.no_grad()
def held_out_accuracy(
    model: Qwen3VLForConditionalGeneration, processor: Qwen3VLProcessor, clips: Sequence[LessonClip]
) -> dict[str, float]:
    """Share of answers that greedy decoding would give to the letter, per kind of short lesson."""
    model.eval()
    hits: dict[str, list[bool]] = {}
    for clip in clips:
        lessons = [lesson for lesson in clip.lessons if lesson.kind in SHORT_KINDS]
        sample = make_sample(clip, lessons, processor, model)
        assert sample.packed is not None
        seen = model.model.get_video_features(
            sample.pixel_values, sample.grid_thw, return_dict=True
        )
        logits_NV, labels_N, _ = answer_logits(model, [sample.packed], sample.grid_thw, seen)
        right = (logits_NV.argmax(-1) == labels_N).tolist()
        at = 0
        for lesson in lessons:
            length = len(_ids(processor, lesson.answer + processor.tokenizer.eos_token))
            hits.setdefault(lesson.kind, []).append(all(right[at : at + length]))
            at += length
    model.train()
    return {kind: round(sum(values) / len(values), 3) for kind, values in sorted(hits.items())}


def train(
    model: Qwen3VLForConditionalGeneration,
    processor: Qwen3VLProcessor,
    pool: LessonPool,
    *,
    seed: int,
    log_path: Path,
    out: Path,
    stages: Sequence[Stage] = STAGES,
) -> None:
    """Run the curriculum.

    Args:
        log_path: gets one JSON line per 20 steps.
        out: gets the checkpoint, every 100 steps and at the end.
    """
    frames = pool[0].frames
    tokens_per_group = (frames.height // 32) * (frames.width // 32)
    width = model.config.text_config.hidden_size
    head = nn.Linear(tokens_per_group * width, COORDINATES_PER_GROUP)
    model.train()
    with log_path.open("a", encoding="utf-8") as log:
        for number, stage in enumerate(stages):
            reader = Reader(pool, processor, model, stage, seed + number)
            _run_stage(model, head, reader, log, out)


def _run_stage(
    model: Qwen3VLForConditionalGeneration,
    head: nn.Linear,
    reader: Reader,
    log: TextIO,
    out: Path,
) -> None:
    stage = reader.stage
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=stage.learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, stage.steps))
    loader = torch.utils.data.DataLoader(
        reader, batch_size=None, num_workers=1, prefetch_factor=4, collate_fn=_as_is
    )
    started, sums = time.monotonic(), np.zeros(2)
    for step, samples in zip(range(1, stage.steps + 1), loader, strict=False):
        answer_loss, position_loss = losses(model, head, samples)
        (answer_loss + 3 * position_loss).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        sums += answer_loss.item(), position_loss.item()
        if step % LOG_STEPS == 0:
            row: dict[str, Any] = {"stage": stage.name, "step": step}
            row |= dict(zip(("answer", "position"), sums / LOG_STEPS, strict=True))
            row |= {"seconds": round(time.monotonic() - started)}
            if stage.lessons and (step % 100 == 0 or step == stage.steps):
                shown = [
                    reader.pool[len(reader.pool) - 1 - place]
                    for place in range(min(64, len(reader.pool)))
                ]
                row["held_out"] = held_out_accuracy(model, reader.processor, shown)
                save_checkpoint(model, reader.processor, out)
            print(json.dumps(row), file=log, flush=True)
            sums[:] = 0


def _as_is(samples: list[Sample]) -> list[Sample]:
    return samples
