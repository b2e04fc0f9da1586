"""Estimate the calls, tokens and dollars of judging without calling the judge (`--dry-run`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fmau.judge.judges import LlmJudge
from fmau.judge.request import Call, prompt
from fmau.judge.rubric import Rubric
from fmau.recipe import CHARS_PER_TOKEN, TokenEstimate, text_tokens

REPLY_TOKENS_PER_LEVEL = 60
"""Length of one or two sentences and a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(TokenEstimate):
    """The expected amount of work of some calls.

    Attributes:
        calls: number of calls. The shared tokens are those of system prompts that are the same as
            in the call before.
    """

    calls: int

    def text(self) -> str:
        """The estimate in a few lines, for people."""
        lines = [
            f"{self.calls:,} calls, about {self.input_tokens:,} tokens in, "
            f"{self.shared_tokens:,} of them shared with the call before",
            f"about {self.output_tokens:,} tokens out, {self.most_output_tokens:,} at most "
            f"({CHARS_PER_TOKEN:g} characters a token)",
        ]
        return "\n".join([*lines, *self.price_lines()])


def estimate(calls: Sequence[Call], judge: LlmJudge, rubric: Rubric) -> Estimate:
    """Estimate the work of `calls` from the number of characters in their prompts."""
    prompts = [[message["content"] for message in prompt(call, rubric)] for call in calls]
    tokens = [[text_tokens(text) for text in texts] for texts in prompts]
    total = sum(map(sum, tokens))
    shared = sum(
        counts[0]
        for (before, now), counts in zip(pairwise(prompts), tokens[1:], strict=True)
        if before[0] == now[0]
    )
    likely = sum(REPLY_TOKENS_PER_LEVEL * len(call.levels) for call in calls)
    likely = min(likely, most := judge.max_tokens * len(calls))
    return Estimate(
        calls=len(calls),
        input_tokens=total,
        shared_tokens=shared,
        output_tokens=likely,
        most_output_tokens=most,
        price=judge.price,
    )
