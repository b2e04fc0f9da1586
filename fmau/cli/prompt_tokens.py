"""Counts the tokens of all prompts of a recipe, for the plan of `fmau check`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmau.core.records import Question
from fmau.frames.clip import ClipFrames
from fmau.prompting.conversation import VIDEO_PART, messages, user_text
from fmau.prompting.prompts import PromptSet

if TYPE_CHECKING:
    from fmau.families.encode import Encoder


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """Tokens of the prompts.

    Attributes:
        common: of the prompt set's common text.
        longest: of the longest prompt.
        total: of all prompts.
        computed: of all prompts, but what questions share is counted once, as with the server's
            prefix cache: a clip with the system prompt before it and the common text behind it.
    """

    common: int
    longest: int
    total: int
    computed: int


def count_prompts(
    encoder: "Encoder", prompts: PromptSet, questions: Sequence[Question], frames: ClipFrames
) -> PromptTokens:
    """Count with the model's tokenizer.

    One whole prompt with the frames of the first clip shows how many tokens are around a question's
    text. Their number is the same for every clip of this frame size that is shorter than ten
    seconds.

    Args:
        frames: of the first question's clip.
    """
    from fmau.train.plan import token_counts, tokens_around  # brings torch

    texts = [user_text(question, prompts) for question in questions]
    common, *own = token_counts(encoder, [prompts.common, *texts])
    before, after = tokens_around(encoder, messages(questions[0], prompts, VIDEO_PART), frames)
    systems = [prompts.system_of(question.task) for question in questions]
    named = list(dict.fromkeys(systems))
    tokens = dict(zip(named, token_counts(encoder, named), strict=True))
    fronts = [before - tokens[systems[0]] + tokens[system] for system in systems]
    lengths = [front + text + after for front, text in zip(fronts, own, strict=True)]
    clips = [question.clip for question in questions]
    shared = dict(zip(zip(clips, systems, strict=True), fronts, strict=True))
    again = sum(fronts) - sum(shared.values()) + common * (len(questions) - len(shared))
    return PromptTokens(common, max(lengths), sum(lengths), sum(lengths) - again)
