"""Estimate the calls, tokens and dollars of judging without calling the judge (`--dry-run`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fmau.judge.judges import LlmJudge
from fmau.judge.request import Call, prompt
from fmau.judge.rubric import Rubric
from fmau.recipe import CHARS_PER_TOKEN, text_tokens

REPLY_TOKENS_PER_LEVEL = 60
"""Length of one or two sentences and a score."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The expected amount of work of some calls.

    Attributes:
        calls: number of calls.
        input_tokens: tokens of all prompts.
        shared_tokens: input tokens in a system prompt that is the same as in the call before; a
            prefix cache need not compute them again.
        output_tokens: likely tokens of all replies.
        most_output_tokens: tokens if every reply reaches the limit.
        dollars, most_dollars: likely and highest cost; None without a price.
    """

    calls: int
    input_tokens: int
    shared_tokens: int
    output_tokens: int
    most_output_tokens: int
    dollars: float | None
    most_dollars: float | None

    def text(self) -> str:
        """The estimate in a few lines, for people."""
        lines = [
            f"{self.calls:,} calls, about {self.input_tokens:,} tokens in, "
            f"{self.shared_tokens:,} of them shared with the call before",
            f"about {self.output_tokens:,} tokens out, {self.most_output_tokens:,} at most "
            f"({CHARS_PER_TOKEN:g} characters a token)",
        ]
        if self.dollars is not None:
            lines.append(f"about {self.dollars:.2f} US dollars, {self.most_dollars:.2f} at most")
        return "\n".join(lines)


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
    price = judge.price
    return Estimate(
        calls=len(calls),
        input_tokens=total,
        shared_tokens=shared,
        output_tokens=likely,
        most_output_tokens=most,
        dollars=price.of(total, shared, likely) if price else None,
        most_dollars=price.of(total, 0, most) if price else None,
    )
