"""Turns training examples into tensors: token ids, pixels, labels. `fmau.train.run` uses it.

Batches of single examples are padded on the left, so that all answers end at the last position. The
loss then needs the logits of the last few positions only, not of all visual tokens.

Array suffixes: B examples, L tokens.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from fmau.core.errors import InputError, TrainingError
from fmau.core.records import Question
from fmau.dataset.examples.example import Example
from fmau.families.encode import Encoder
from fmau.frames.cache import FrameCache
from fmau.frames.clip import ClipFrames
from fmau.prompting.conversation import VIDEO_PART, Message, messages, messages_asking
from fmau.prompting.prompts import PromptSet
from fmau.train.packing import IGNORED, Conversation, Packed, collate, pack
from fmau.train.positions import position_rule

Tensors = dict[str, Tensor]


class _ClipDataset(torch.utils.data.Dataset[Any]):
    """Base of both datasets; an item is encoded when the data loader asks for it.

    Args:
        items: examples or groups of examples, in any order; the sampler shuffles them.
        cache: the frames of all their clips.
        encoder: encodes prompts for the base model.
        prompts: the prompt set of the recipe.
        length_exponent: see `fmau.recipe.TrainBlock`.
    """

    def __init__(
        self,
        items: Sequence[Any],
        *,
        cache: FrameCache,
        encoder: Encoder,
        prompts: PromptSet,
        length_exponent: float,
    ) -> None:
        self.items = items
        self.cache = cache
        self.encoder = encoder
        self.prompts = prompts
        self.length_exponent = length_exponent

    def __len__(self) -> int:
        return len(self.items)

    def frames(self, clip: str) -> ClipFrames:
        """The clip's frames.

        Raises:
            TrainingError: the frames are damaged.
        """
        try:
            return self.cache[clip]
        except InputError as error:
            # One line: the loader process passes the error on to the training process as text.
            raise TrainingError("; ".join(map(str, error.problems))) from None

    def turns(self, example: Example) -> list[Message]:
        """The example's messages before the answer."""
        return conversation(example, self.prompts)


class ExampleDataset(_ClipDataset):
    """Examples, each encoded alone."""

    def __getitem__(self, index: int) -> Tensors:
        example: Example = self.items[index]
        frames = self.frames(example.clip)
        return encode_example(
            self.encoder, self.turns(example), example.answer, frames, self.length_exponent
        )


class SequenceDataset(_ClipDataset):
    """Groups of examples about one clip each, packed into one sequence.

    Args:
        items: the groups, see `TrainingData.sequences`.
        config: configuration of the base model.
        others: arguments of the base class.
    """

    def __init__(self, items: Sequence[Any], *, config: Any, **others: Any) -> None:
        super().__init__(items, **others)
        self.positions = position_rule(config)

    def __getitem__(self, index: int) -> tuple[Packed, Tensors]:
        group: Sequence[Example] = self.items[index]
        asked = [(self.turns(example), example.answer) for example in group]
        conversations, pixels = encode_together(self.encoder, asked, self.frames(group[0].clip))
        packed = pack(
            conversations,
            pixels["video_grid_thw"],
            self.encoder.video_token,
            self.positions,
            self.length_exponent,
        )
        return packed, pixels


def encode_together(
    encoder: Encoder,
    asked: Sequence[tuple[Sequence[Message], str]],
    frames: Any,
) -> tuple[list[Conversation], Tensors]:
    """Encode several conversations about one clip; its frames are processed once.

    Args:
        asked: for each conversation, its messages before the answer, and the answer.

    Returns:
        The conversations, and pixel_values_videos and video_grid_thw of the clip.
    """
    first = encoder.encode(asked[0][0], frames)
    up_to_clip = encoder.up_to_clip(first.pop("input_ids")[0].tolist())
    conversations = [
        Conversation([*up_to_clip, *encoder.after_clip(turns)], encoder.answer(answer))
        for turns, answer in asked
    ]
    return conversations, {name: first[name] for name in ("pixel_values_videos", "video_grid_thw")}


def collate_sequences(
    sequences: Sequence[tuple[Packed, Tensors]], attention: str
) -> dict[str, Any]:
    """One batch: the tensors of `fmau.train.packing.collate`, and the pixels of all clips."""
    clips = [pixels for _, pixels in sequences]
    joined = {name: torch.cat([pixels[name] for pixels in clips]) for name in clips[0]}
    return collate([packed for packed, _ in sequences], attention) | joined


def conversation(example: Example, prompts: PromptSet) -> list[Message]:
    """The example's messages before the answer, worded as when `fmau answer` asks."""
    if isinstance(example.ask, Question):
        return messages(example.ask, prompts, VIDEO_PART)
    return messages_asking(example.ask, prompts, VIDEO_PART)


def encode_example(
    encoder: Encoder,
    turns: Sequence[Message],
    answer: str,
    frames: Any,
    length_exponent: float,
) -> Tensors:
    """Encode one example, with labels on its answer and end-of-turn token.

    Returns:
        The tensors of `Encoder.encode`, with the answer; labels (1, L), `IGNORED` outside the
        answer; weights (1, L), n ** (length_exponent - 1) for each of the n labelled tokens.
    """
    inputs = encoder.encode(turns, frames)
    learned_1N = torch.tensor([encoder.answer(answer)])
    prompt = inputs["input_ids"].shape
    # What stands beside every token: 1 says that it is there, 0 that it is no part of a picture.
    beside = {"input_ids": learned_1N, "attention_mask": torch.ones_like(learned_1N)}
    for name, tensor in inputs.items():
        if tensor.shape == prompt:
            further = beside.get(name, torch.zeros_like(learned_1N))
            inputs[name] = torch.cat([tensor, further.to(tensor.dtype)], dim=1)
    labels_1L = torch.full_like(inputs["input_ids"], IGNORED)
    labels_1L[:, prompt[1] :] = learned_1N
    weights_1L = (labels_1L != IGNORED).float() * learned_1N.shape[1] ** (length_exponent - 1)
    return {**inputs, "labels": labels_1L, "weights": weights_1L}


class Collator:
    """Stacks examples into a batch; shorter ones are padded on the left.

    Args:
        pad_token_id: the tokenizer's.
    """

    def __init__(self, pad_token_id: int) -> None:
        self.padding = {
            "input_ids": pad_token_id,
            "attention_mask": 0,
            "mm_token_type_ids": 0,
            "labels": IGNORED,
            "weights": 0.0,
        }

    def __call__(self, examples: Sequence[Tensors]) -> Tensors:
        """One batch: pixel_values_videos and video_grid_thw concatenated, the rest (B, L)."""
        longest = max(example["input_ids"].shape[1] for example in examples)
        batch = {}
        for name in examples[0]:
            tensors = [example[name] for example in examples]
            if name in self.padding:
                tensors = [_pad_left(tensor, longest, self.padding[name]) for tensor in tensors]
            batch[name] = torch.cat(tensors)
        return batch


def _pad_left(tensor_1L: Tensor, length: int, value: float) -> Tensor:
    return torch.nn.functional.pad(tensor_1L, (length - tensor_1L.shape[1], 0), value=value)
