"""A real Qwen3-VL processor around a tokenizer learnt in a moment, for tests of prompts."""

import functools
from typing import Any

from fmau.core.taxonomy import Task
from fmau.demo.tiny.model import new_processor
from fmau.demo.tiny.tokenizer import train_tokenizer
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
