"""Turns training examples into tensors: token ids, pixels, labels. `fmau.train.run` uses it.

Batches of single examples are padded on the left, so that all answers end at the last position. The
loss then needs the logits of the last few positions only, not of all visual tokens.

Array suffixes: B examples, L tokens.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fmau.core.errors import InputError, RecipeError, TrainingError
from fmau.core.records import Question
from fmau.dataset.examples.example import Example
from fmau.families.encode import encode
from fmau.frames.cache import FrameCache
from fmau.frames.clip import ClipFrames
from fmau.prompting.conversation import VIDEO_PART, Message, messages, messages_asking, with_answer
from fmau.prompting.prompts import PromptSet
from fmau.train.packing import IGNORED, Conversation, Packed, collate, pack
from fmau.train.positions import position_rule

if TYPE_CHECKING:
    from transformers import Qwen3VLConfig, Qwen3VLProcessor

Tensors = dict[str, Tensor]


class _ClipDataset(torch.utils.data.Dataset[Any]):
    """Base of both datasets; an item is encoded when the data loader asks for it.

    Args:
        items: examples or groups of examples, in any order; the sampler shuffles them.
        cache: the frames of all their clips.
        processor: processor of the base model.
        prompts: the prompt set of the recipe.
        length_exponent: see `fmau.recipe.TrainBlock`.
    """

    def __init__(
        self,
        items: Sequence[Any],
        *,
        cache: FrameCache,
        processor: "Qwen3VLProcessor",
        prompts: PromptSet,
        length_exponent: float,
    ) -> None:
        self.items = items
        self.cache = cache
        self.processor = processor
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
            self.processor, self.turns(example), example.answer, frames, self.length_exponent
        )


class SequenceDataset(_ClipDataset):
    """Groups of examples about one clip each, packed into one sequence.

    Args:
        items: the groups, see `TrainingData.sequences`.
        config: configuration of the base model.
        others: arguments of the base class.
    """

    def __init__(self, items: Sequence[Any], *, config: "Qwen3VLConfig", **others: Any) -> None:
        super().__init__(items, **others)
        self.positions = position_rule(config)

    def __getitem__(self, index: int) -> tuple[Packed, Tensors]:
        group: Sequence[Example] = self.items[index]
        asked = [(self.turns(example), example.answer) for example in group]
        conversations, pixels = encode_together(self.processor, asked, self.frames(group[0].clip))
        packed = pack(
            conversations,
            pixels["video_grid_thw"],
            self.processor.video_token_id,
            self.positions,
            self.length_exponent,
        )
        return packed, pixels


def encode_together(
    processor: "Qwen3VLProcessor",
    asked: Sequence[tuple[Sequence[Message], str]],
    frames: Any,
) -> tuple[list[Conversation], Tensors]:
    """Encode several conversations about one clip; its frames are processed once.

    Args:
        asked: for each conversation, its messages before the answer, and the answer.

    Returns:
        The conversations, and pixel_values_videos and video_grid_thw of the clip.
    """
    first = encode(processor, asked[0][0], frames, add_generation_prompt=True)
    ids = first.pop("input_ids")[0].tolist()
    clip_end = len(ids) - ids[::-1].index(processor.vision_end_token_id)
    conversations = []
    for turns, answer in asked:
        text = processor.apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=True
        )
        behind = text.rpartition(processor.vision_end_token)[2]
        rest = processor.tokenizer(behind, add_special_tokens=False)["input_ids"]
        learned = _answer_tokens(processor, turns, answer)
        end = learned.index(processor.tokenizer.eos_token_id) + 1
        conversations.append(Conversation([*ids[:clip_end], *rest], learned[:end]))
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
    processor: "Qwen3VLProcessor",
    turns: Sequence[Message],
    answer: str,
    frames: Any,
    length_exponent: float,
) -> Tensors:
    """Encode one example, with labels on its answer and end-of-turn token.

    Returns:
        The tensors of `encode`; labels (1, L), `IGNORED` outside the answer; weights (1, L),
        n ** (length_exponent - 1) for each of the n labelled tokens.
    """
    inputs = encode(processor, with_answer(turns, answer), frames, add_generation_prompt=False)
    ids_1L = inputs["input_ids"]
    learned = _answer_tokens(processor, turns, answer)
    tail = ids_1L[0, -len(learned) :]
    assert tail.tolist() == learned, "the answer's tokens do not depend on what precedes them"
    end = learned.index(processor.tokenizer.eos_token_id) + 1
    labels_1L = torch.full_like(ids_1L, IGNORED)
    start = ids_1L.shape[1] - len(learned)
    labels_1L[0, start : start + end] = tail[:end]
    weights_1L = (labels_1L != IGNORED).float() * end ** (length_exponent - 1)
    return {**inputs, "labels": labels_1L, "weights": weights_1L}


def _answer_tokens(
    processor: "Qwen3VLProcessor", turns: Sequence[Message], answer: str
) -> list[int]:
    """Token ids of everything that the chat template writes after the generation prompt.

    Raises:
        RecipeError: the template writes one prompt before a given answer and another one when it
            asks for an answer; the trained model would never see the prompt it was trained on.
    """
    asked = processor.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=True)
    whole = processor.apply_chat_template(with_answer(turns, answer), tokenize=False)
    if not whole.startswith(asked):
        raise RecipeError(
            "the chat template of model.path writes different prompts for training (with an "
            "answer) and for answering (without); use a checkpoint whose template writes the same"
        )
    ids: list[int] = processor.tokenizer(whole[len(asked) :], add_special_tokens=False)["input_ids"]
    return ids


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
