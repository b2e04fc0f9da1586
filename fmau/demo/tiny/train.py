"""Trains the tiny model in stages, for `python -m fmau.demo.tiny`.

The lessons get harder from stage to stage (`STAGES`): first to see, then to choose, then to answer.
Beside the loss on answers there are losses of read-outs (`fmau.demo.tiny.readouts`). The weights
after each stage are saved, and a finished stage is not repeated.

Array suffixes: B clips, L tokens, G temporal groups of two frames, C coordinates, V vocabulary,
N answer tokens, H hidden.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TextIO

import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from transformers import Qwen3VLForConditionalGeneration, Qwen3VLProcessor

from fmau.core.files import UNFINISHED
from fmau.demo.tiny.curriculum import STAGES, Stage, rate
from fmau.demo.tiny.lessons import LessonClip, LessonPool
from fmau.demo.tiny.model import save_checkpoint
from fmau.demo.tiny.readouts import ACTION_LAYER, OPTION_LAYER, ReadOuts, pointer_loss
from fmau.demo.tiny.samples import Reader, Sample, make_sample, stacked, token_ids
from fmau.train.packing import IGNORED

LOG_STEPS = 20

SHORT_KINDS = ("CMAR", "FMAR", "SAD", "MAD", "MAS", "PPR", "part", "label", "hint")
"""Lesson kinds with short answers, which count as right only if every token is right."""


@dataclass(frozen=True, slots=True)
class Losses:
    """The losses of a batch: that of the answers, and one per read-out."""

    answer: Tensor
    position: Tensor
    action: Tensor
    option: Tensor
    letter: Tensor
    pointer: Tensor

    def total(self, *, readouts: bool) -> Tensor:
        """The training loss, with or without read-outs; the factor 3 makes the terms similar."""
        if not readouts:
            return self.answer
        words = self.action + self.option + self.letter + self.pointer
        return self.answer + 3 * self.position + words


def losses(
    model: Qwen3VLForConditionalGeneration, readouts: ReadOuts, samples: Sequence[Sample]
) -> Losses:
    """Run a forward pass over a batch; the language model is used only if there are lessons."""
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
    batch = stacked(packs)
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
        The model's output with all hidden states; then, for the answer tokens of all clips in
        order, the logits that predict them, their ids, and their weights.
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
    """Share of answers that greedy decoding would give exactly, per kind of short lesson."""
    model.eval()
    hits: dict[str, list[bool]] = {}
    for clip in clips:
        lessons = [lesson for lesson in clip.lessons if lesson.kind in SHORT_KINDS]
        sample = make_sample(clip, lessons, processor, model)
        seen = model.model.get_video_features(
            sample.pixel_values, sample.grid_thw, return_dict=True
        )
        assert sample.packed is not None
        batch = stacked([sample.packed])
        _, logits_NV, labels_N, _ = answer_logits(model, batch, sample.grid_thw, seen)
        right = (logits_NV.argmax(-1) == labels_N).tolist()
        at = 0
        for lesson in lessons:
            length = len(token_ids(processor, lesson.answer + processor.tokenizer.eos_token))
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
        work: folder for `log.jsonl`, one line per 20 steps, and for the weights after each stage.
            A stage whose weights exist is not run again.
        out: folder for the checkpoint, written after each stage.
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
            unfinished = learned.with_name(learned.name + UNFINISHED)
            save_model(everything, str(unfinished))
            unfinished.replace(learned)
            save_checkpoint(model, processor, out)


def _run_stage(
    model: Qwen3VLForConditionalGeneration, readouts: ReadOuts, reader: Reader, log: TextIO
) -> None:
    stage = reader.stage
    vision = model.model.visual.requires_grad_(stage.vision_rate > 0)
    slow = set(vision.parameters())
    parameters = [*model.parameters(), *readouts.parameters()]
    groups: list[dict[str, Any]] = [
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
                clips = reader.held_out(64)
                row["held_out"] = held_out_accuracy(model, reader.processor, clips)
            print(json.dumps(row), file=log, flush=True)
            sums.clear()


def _as_is(samples: list[Sample]) -> list[Sample]:
    return samples
