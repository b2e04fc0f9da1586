"""Turns lessons about a clip into model inputs: patches, packed conversations, read-out targets.

`train` reads batches of them from `Reader`.

Array suffixes: T frames, H height, W width, C colours or coordinates, G temporal groups, B clips,
L tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen3VLForConditionalGeneration, Qwen3VLProcessor

from fmau.demo.tiny.curriculum import Stage
from fmau.demo.tiny.lessons import OPTION_LINE, Lesson, LessonClip, LessonPool
from fmau.demo.tiny.readouts import Choice
from fmau.train.packing import Conversation, Packed, collate, pack

HELD_OUT = 520
"""The last clips of a pool are not trained on; their people are in no other clip."""

LENGTH_EXPONENT = 0.25
"""With it a paragraph weighs about three times as much as a letter, not a hundred times."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The model's inputs for one clip: packed conversations, pixels, targets of the read-outs."""

    packed: Packed | None
    choices: tuple[Choice, ...]
    pixel_values: Tensor
    grid_thw: Tensor
    positions_GC: Tensor
    action: int


class Reader(torch.utils.data.IterableDataset[list[Sample]]):
    """Yields batches of random clips with random lessons without end, in a loader process."""

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

    def held_out(self, most: int) -> list[LessonClip]:
        """The last `most` clips of a pool, at most `HELD_OUT`: none of them is trained on."""
        end = len(self.pool)
        return [self.pool[place] for place in range(end - min(most, HELD_OUT), end)]

    def _sample(self, clip: LessonClip, rng: np.random.Generator) -> Sample:
        if rng.random() < 0.5:
            clip = clip.mirrored()
        lessons = choose(clip.lessons, self.stage, rng) if self.stage.lessons else ()
        return make_sample(clip, lessons, self.processor, self.model)


def choose(lessons: Sequence[Lesson], stage: Stage, rng: np.random.Generator) -> list[Lesson]:
    """Draw a stage's number of lessons without replacement, weighted by the stage's kinds."""
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
    """Turn a clip's frames into patches, and pack its lessons into one sequence after them."""
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
        answer = token_ids(processor, lesson.answer + processor.tokenizer.eos_token)
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


def stacked(packs: Sequence[Packed]) -> dict[str, Tensor]:
    """The tensors of `fmau.train.packing.collate`, with a mask (B, 1, L, L) in place of branches.

    The mask is True where a token sees another one. The pointer read-out needs to know that too,
    and the tiny model has no layers of linear attention, which take no mask.
    """
    batch = collate(packs, "sdpa")
    del batch["branches"]
    # Padding is a separate branch that attends to itself: a mask row without any True gives NaN.
    branch_BL = torch.nn.utils.rnn.pad_sequence(
        [packed.branch_L for packed in packs], batch_first=True, padding_value=-1
    )
    causal_LL = torch.ones(branch_BL.shape[1], branch_BL.shape[1], dtype=torch.bool).tril()
    key_B1L, query_BL1 = branch_BL[:, None, :], branch_BL[:, :, None]
    seen_BLL = causal_LL & ((key_B1L == query_BL1) | ((key_B1L == 0) & (query_BL1 > 0)))
    return batch | {"attention_mask": seen_BLL[:, None]}


def _prompt(processor: Qwen3VLProcessor, text: str, answer: str) -> tuple[list[int], Choice | None]:
    """Token ids of a conversation before its answer, and its options if it has any."""
    prompt = processor.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    options = list(OPTION_LINE.finditer(text))
    starts = [start for start, _ in prompt["offset_mapping"]]
    # A line includes its line break: that token attends to the whole line.
    lines = tuple(
        (starts.index(option.start()), starts.index(option.end()) + 1) for option in options
    )
    letters = [option[1] for option in options]
    ids = prompt["input_ids"]
    choice = Choice(lines, letters.index(answer), len(ids) - 1) if options else None
    return ids, choice


def token_ids(processor: Qwen3VLProcessor, text: str) -> list[int]:
    """Token ids of a text, without special tokens."""
    ids: list[int] = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
