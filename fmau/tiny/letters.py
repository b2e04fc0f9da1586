"""Text-only drills: find the letter of the option that the text itself names.

To answer a multiple-choice question a model must look up the letter in front of a label. That skill
needs no video, so it is taught first without one, on options drawn at random.

Array suffixes: B questions, L tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from fmau.conversation import Message, user_text
from fmau.prompts import PromptSet
from fmau.records import Option, Question
from fmau.taxonomy import Task, actions, parts
from fmau.tiny.pack import IGNORED

CUES = (
    "{label}",
    "It is {label}.",
    "The clip shows {label}.<|im_end|>\n<|im_start|>assistant\n",
)
"""What stands before a letter in a drill, from a bare label to the turn of a real chat.

With the bare label, looking up is one step: find the same token in the options and see what
preceded it. The longer cues need that step after others, so they come later."""


@dataclass(frozen=True, slots=True)
class LetterBatch:
    """Padded drills with the letters as labels."""

    ids_BL: Tensor
    labels_BL: Tensor
    mask_BL: Tensor


def letter_batches(
    tokenizer: PreTrainedTokenizerBase,
    prompts: PromptSet,
    *,
    size: int,
    seed: int,
    cues: Sequence[str] = CUES,
) -> Iterator[LetterBatch]:
    """Endless batches of `size` drills each, every drill with one of the cues."""
    rng = np.random.default_rng(seed)
    while True:
        drills = [_drill(tokenizer, prompts, cues, rng) for _ in range(size)]
        longest = max(len(ids) for ids, _ in drills)
        ids_BL = torch.full((size, longest), int(tokenizer.pad_token_id))
        labels_BL = torch.full((size, longest), IGNORED)
        mask_BL = torch.zeros(size, longest, dtype=torch.long)
        for place, (ids, labels) in enumerate(drills):
            ids_BL[place, : len(ids)] = torch.tensor(ids)
            labels_BL[place, : len(ids)] = torch.tensor(labels)
            mask_BL[place, : len(ids)] = 1
        yield LetterBatch(ids_BL, labels_BL, mask_BL)


def _drill(
    tokenizer: PreTrainedTokenizerBase, prompts: PromptSet, cues: Sequence[str], rng: Generator
) -> tuple[list[int], list[int]]:
    """Ids and labels of one question followed by every option's label and letter, shuffled."""
    question = _question(rng)
    text = user_text(question, prompts, strip_class_codes=True)
    turns: list[Message] = [
        {"role": "system", "content": prompts.system},
        {"role": "user", "content": text},
    ]
    prompt = tokenizer.apply_chat_template(turns, tokenize=False)
    ids = tokenizer(prompt.removesuffix("<|im_end|>\n"), add_special_tokens=False)["input_ids"]
    labels = [IGNORED] * len(ids)
    form = cues[rng.integers(len(cues))]
    for place in rng.permutation(len(question.options)):
        option = question.options[place]
        # The space makes the label's first token the same as in its option line.
        cue = tokenizer("\n " + form.format(label=option.label), add_special_tokens=False)
        letter = tokenizer.convert_tokens_to_ids(option.letter)
        ids = [*ids, *cue["input_ids"], letter]
        labels = [*labels, *[IGNORED] * len(cue["input_ids"]), letter]
    return ids, labels


def _question(rng: Generator) -> Question:
    """A coarse or a fine question with options in random order; half the fine ones of one group."""
    if rng.random() < 0.4:
        task, labels = Task.CMAR, [part.label for part in parts()]
    elif rng.random() < 0.5:
        task, labels = Task.FMAR, [action.label for action in actions()]
    else:
        groups = [part for part in parts() if len(part.actions) >= Task.FMAR.option_count]
        group = groups[rng.integers(len(groups))]
        task, labels = Task.FMAR, [action.label for action in group.actions]
    picked = rng.permutation(labels)[: task.option_count]
    options = tuple(Option(chr(ord("A") + i), str(label)) for i, label in enumerate(picked))
    stem = "Which label fits the micro-action in this clip?"
    return Question("letters", "none", task, stem, options)
