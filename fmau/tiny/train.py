"""Train the tiny model: first to see, then to choose, then to answer.

Stage by stage (`STAGES`) the lessons get harder. In all of them the words are helped by read-outs
(`fmau.tiny.readouts`). A finished stage is kept and not repeated.

Array suffixes: B clips, L tokens, G temporal groups of two frames, C coordinates, V vocabulary,
N answer tokens, H hidden.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from transformers import Qwen3VLForConditionalGeneration, Qwen3VLProcessor

from fmau.tiny.curriculum import STAGES, Stage, rate
from fmau.tiny.lessons import OPTION_LINE, Lesson, LessonClip, LessonPool
from fmau.tiny.model import save_checkpoint
from fmau.tiny.readouts import ACTION_LAYER, OPTION_LAYER, Choice, ReadOuts, pointer_loss
from fmau.train.packing import IGNORED, Conversation, Packed, collate, pack

HELD_OUT = 520
"""The last clips of a pool, whose people appear in no other, are not trained on."""

LOG_STEPS = 20

LENGTH_EXPONENT = 0.25
"""A paragraph counts about three times as much as a letter, not a hundred times."""

SHORT_KINDS = ("CMAR", "FMAR", "SAD", "MAD", "MAS", "PPR", "part", "label", "hint")
"""Kinds whose answers are short enough to be held to every token."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip, ready for the model: packed conversations, pixels and the read-outs' targets."""

    packed: Packed | None
    choices: tuple[Choice, ...]
    pixel_values: Tensor
    grid_thw: Tensor
    positions_GC: Tensor
    action: int


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
            yield [self._sample(self.pool[int(pick)], rng) for pick in picks]

    def _sample(self, clip: LessonClip, rng: np.random.Generator) -> Sample:
        if rng.random() < 0.5:
            clip = clip.mirrored()
        lessons = choose(clip.lessons, self.stage, rng) if self.stage.lessons else ()
        return make_sample(clip, lessons, self.processor, self.model)


def choose(lessons: Sequence[Lesson], stage: Stage, rng: np.random.Generator) -> list[Lesson]:
    """Draw the stage's number of lessons without replacement, by the frequency of its kinds."""
    weights = np.array([stage.kinds.get(lesson.kind, 0.0) for lesson in lessons])
    count = min(stage.lessons, int((weights > 0).sum()))
    picks = rng.choice(len(lessons), count, replace=False, p=weights / weights.sum())
    drawn = [lessons[int(pick)] for pick in picks]
    return [lesson.right_first() if rng.random() < stage.habit else lesson for lesson in drawn]


def make_sample(
    clip: LessonClip,
    lessons: Sequence[Lesson],
    processor: Qwen3VLProcessor,
    model: Qwen3VLForConditionalGeneration,
) -> Sample:
    """Patchify a clip's frames and pack its lessons behind them."""
    video = processor.video_processor(
        videos=[np.ascontiguousarray(clip.pixels_THWC())],
        do_sample_frames=False,
        do_resize=False,
        cap_pixels_per_frame=False,
        video_metadata=[clip.metadata()],
        return_metadata=True,
        return_tensors="pt",
    )
    grid_thw = video["video_grid_thw"]
    expanded = processor.replace_video_token(video, 0)
    conversations, choices = [], []
    for lesson in lessons:
        text = processor.apply_chat_template(
            lesson.messages, add_generation_prompt=True, tokenize=False
        ).replace(processor.video_token, expanded)
        answer = _ids(processor, lesson.answer + processor.tokenizer.eos_token)
        prompt, choice = _prompt(processor, text, lesson.answer)
        conversations.append(Conversation(prompt, answer))
        choices.append(choice)
    packed = None
    if conversations:
        rule = model.model.get_rope_index
        packed = pack(conversations, grid_thw, model.config.video_token_id, rule, LENGTH_EXPONENT)
    moved = packed.moved if packed else ()
    return Sample(
        packed=packed,
        choices=tuple(c.moved(by) for c, by in zip(choices, moved, strict=True) if c),
        pixel_values=video["pixel_values_videos"],
        grid_thw=grid_thw,
        positions_GC=torch.from_numpy(clip.positions.reshape(int(grid_thw[0, 0]), -1)),
        action=clip.action,
    )


def _prompt(processor: Qwen3VLProcessor, text: str, answer: str) -> tuple[list[int], Choice | None]:
    """Token ids of a conversation up to its answer, and its options if it has some."""
    prompt = processor.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    options = list(OPTION_LINE.finditer(text))
    starts = [start for start, _ in prompt["offset_mapping"]]
    # To the line break, a token of its own that has read its whole line.
    lines = tuple(
        (starts.index(option.start()), starts.index(option.end()) + 1) for option in options
    )
    letters = [option[1] for option in options]
    ids = prompt["input_ids"]
    choice = Choice(lines, letters.index(answer), len(ids) - 1) if options else None
    return ids, choice


def _ids(processor: Qwen3VLProcessor, text: str) -> list[int]:
    return processor.tokenizer(text, add_special_tokens=False)["input_ids"]


@dataclass(frozen=True, slots=True)
class Losses:
    """What a batch is taught by: its answers, and one term per read-out."""

    answer: Tensor
    position: Tensor
    action: Tensor
    option: Tensor
    letter: Tensor
    pointer: Tensor

    def total(self, *, readouts: bool) -> Tensor:
        """What is minimised, with the read-outs or without; the factor makes terms alike."""
        if not readouts:
            return self.answer
        words = self.action + self.option + self.letter + self.pointer
        return self.answer + 3 * self.position + words


def losses(
    model: Qwen3VLForConditionalGeneration, readouts: ReadOuts, samples: Sequence[Sample]
) -> Losses:
    """One forward pass over a batch; the language model takes part if there are lessons."""
    grid_thw = torch.cat([sample.grid_thw for sample in samples])
    pixels = torch.cat([sample.pixel_values for sample in samples])
    seen = model.model.get_video_features(pixels, grid_thw, return_dict=True)
    position = readouts.position_loss(
        torch.stack(list(seen.pooler_output)),
        torch.stack([sample.positions_GC for sample in samples]),
    )
    packs = [sample.packed for sample in samples if sample.packed is not None]
    if not packs:
        nothing = torch.zeros(())
        return Losses(nothing, position, nothing, nothing, nothing, nothing)
    batch = collate(packs)
    output, logits_NV, labels_N, weights_N = answer_logits(model, batch, grid_thw, seen)
    losses_N = nn.functional.cross_entropy(logits_NV, labels_N, reduction="none")
    choices = [sample.choices for sample in samples if sample.packed is not None]
    marked_BLH = output.hidden_states[OPTION_LAYER]
    return Losses(
        answer=(losses_N * weights_N).sum() / weights_N.sum(),
        position=position,
        action=readouts.action_loss(
            output.hidden_states[ACTION_LAYER],
            batch["input_ids"] == model.config.video_token_id,
            torch.tensor([sample.action for sample in samples]),
        ),
        option=readouts.option_loss(marked_BLH, choices),
        letter=readouts.letter_loss(marked_BLH, choices),
        pointer=pointer_loss(
            model.model.language_model,
            marked_BLH,
            batch["position_ids"],
            batch["attention_mask"],
            choices,
        ),
    )


def answer_logits(
    model: Qwen3VLForConditionalGeneration, batch: dict[str, Tensor], grid_thw: Tensor, seen: object
) -> tuple[Any, Tensor, Tensor, Tensor]:
    """Run the language model on a collated batch.

    Returns:
        Its output with all hidden states; the logits where an answer token is predicted, these
        tokens, and their weights, of all clips in order.
    """
    labels_BL, weights_BL = batch["labels"][:, 1:], batch["weights"][:, 1:]
    output = model.model(
        input_ids=batch["input_ids"],
        position_ids=batch["position_ids"],
        attention_mask=batch["attention_mask"],
        video_grid_thw=grid_thw,
        mm_encoder_outputs={"video": seen},
        use_cache=False,
        output_hidden_states=True,
    )
    predicts_BL = labels_BL != IGNORED
    hidden_NH = output.last_hidden_state[:, :-1][predicts_BL]
    return output, model.lm_head(hidden_NH), labels_BL[predicts_BL], weights_BL[predicts_BL]


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
        seen = model.model.get_video_features(
            sample.pixel_values, sample.grid_thw, return_dict=True
        )
        assert sample.packed is not None
        batch = collate([sample.packed])
        _, logits_NV, labels_N, _ = answer_logits(model, batch, sample.grid_thw, seen)
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
    work: Path,
    out: Path,
    stages: Sequence[Stage] = STAGES,
) -> None:
    """Run the curriculum.

    Args:
        work: gets `log.jsonl`, one line per 20 steps, and the weights after each stage; a stage
            whose weights are there is not run again.
        out: gets the checkpoint after each stage.
    """
    frames = pool[0].frames
    readouts = ReadOuts(
        tokens_per_group=(frames.height // 32) * (frames.width // 32),
        hidden_size=model.config.text_config.hidden_size,
    )
    everything = nn.ModuleDict({"model": model, "readouts": readouts})
    model.train()
    with (work / "log.jsonl").open("a", encoding="utf-8") as log:
        for number, stage in enumerate(stages):
            learned = work / f"{number}-{stage.name}.safetensors"
            if learned.exists():
                load_model(everything, learned)
                continue
            _run_stage(model, readouts, Reader(pool, processor, model, stage, seed + number), log)
            save_model(everything, str(learned))
            save_checkpoint(model, processor, out)


def _run_stage(
    model: Qwen3VLForConditionalGeneration, readouts: ReadOuts, reader: Reader, log: TextIO
) -> None:
    stage = reader.stage
    vision = model.model.visual.requires_grad_(stage.vision_rate > 0)
    slow = set(vision.parameters())
    parameters = [*model.parameters(), *readouts.parameters()]
    groups = [
        {"params": [p for p in parameters if p not in slow]},
        {"params": list(slow), "lr": stage.vision_rate * stage.learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, lr=stage.learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, stage.steps))
    loader = torch.utils.data.DataLoader(
        reader, batch_size=None, num_workers=1, prefetch_factor=4, collate_fn=_as_is
    )
    started, sums = time.monotonic(), Counter[str]()
    for step, samples in zip(range(1, stage.steps + 1), loader, strict=False):
        terms = losses(model, readouts, samples)
        terms.total(readouts=stage.readouts).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        sums.update({term.name: getattr(terms, term.name).item() for term in fields(terms)})
        if step % LOG_STEPS == 0:
            row: dict[str, Any] = {"stage": stage.name, "step": step}
            row |= {name: round(value / LOG_STEPS, 4) for name, value in sums.items()}
            row["seconds"] = round(time.monotonic() - started)
            if stage.lessons and (step % (10 * LOG_STEPS) == 0 or step == stage.steps):
                shown = range(len(reader.pool) - min(64, HELD_OUT), len(reader.pool))
                clips = [reader.pool[place] for place in shown]
                row["held_out"] = held_out_accuracy(model, reader.processor, clips)
            print(json.dumps(row), file=log, flush=True)
            sums.clear()


def _as_is(samples: list[Sample]) -> list[Sample]:
    return samples
