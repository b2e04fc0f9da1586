"""A real Qwen3-VL processor around a tokenizer learnt in a moment, and a random model to match."""

import functools
from typing import Any

from fmau.core.taxonomy import Task
from fmau.demo.tiny.model import new_model, new_processor
from fmau.demo.tiny.tokenizer import train_tokenizer
from fmau.families.encode import Encoder
from fmau.families.find import of_type
from fmau.prompting.prompts import PromptSet

PROMPTS = PromptSet(
    system="You watch a clip of one seated person and answer from what is visible.",
    common="The clip shows one person. Left and right are the person's own.",
    tasks={task: f"This is about {task.full_name}.\n{{question}}\nAnswer now." for task in Task},
)


@functools.cache
def small_processor() -> Any:
    """A `Qwen3VLProcessor` with Qwen's special tokens and a vocabulary of a few hundred."""
    texts = [PROMPTS.system, PROMPTS.common, *PROMPTS.tasks.values(), "<0.5 seconds>\n\nYes\nNo"]
    return new_processor(train_tokenizer(texts, vocab_size=500))


def small_encoder() -> Encoder:
    """The encoder around `small_processor`."""
    return Encoder(of_type("qwen3_vl", "the tests"), small_processor())


def small_model() -> Any:
    """A new `Qwen3VLForConditionalGeneration` for that processor, always with the same weights."""
    return new_model(small_processor().tokenizer, seed=0)
