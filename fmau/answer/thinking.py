"""The request fields that turn a model's thinking off, or on with a budget of tokens.

Thinking models open their answer with a thinking mark, unless the request says otherwise. Then a
constraint on the answer would bite inside the thinking, and the letter that it forces would answer
nothing. So every request says whether to think. With thinking, vLLM's reasoning parser keeps the
thinking out of the answer, and the constraint holds for what follows it.
"""

import re
from collections.abc import Sequence
from typing import Any

from fmau.core.errors import RecipeError
from fmau.families.family import TIME_IS_UP, Family
from fmau.families.find import known_family
from fmau.recipe import Recipe
from fmau.serve.client import Reply

OFF: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": False}}
"""Templates that do not know thinking ignore it."""

ANSWER_ROOM = 20
"""Tokens for what ends the thinking and for a closed answer, beside the budget."""


def thinking_fields(budget: int) -> dict[str, Any]:
    """Request fields for thinking with a budget of tokens; for 0, without thinking."""
    if not budget:
        return OFF
    return {
        "chat_template_kwargs": {"enable_thinking": True},
        "thinking_token_budget": budget,
        # vLLM's parser takes a tool call for the end of the thinking, and then fails.
        "bad_words": ["<tool_call>"],
    }


def answer_pattern(valid: Sequence[str], family: Family) -> str:
    """A regular expression for what follows the thinking: one of the valid answers.

    The answer begins as the template writes it, so that the model sees what it was trained on.
    """
    answers = "|".join(map(re.escape, valid))
    return f"{family.after_thinking}({answers})"


def ran_out(reply: Reply) -> bool | None:
    """Whether the budget ended the thinking, not the model; None without thinking."""
    if reply.thinking is None:
        return None
    return reply.thinking.rstrip().endswith(TIME_IS_UP)


def family_asked(recipe: Recipe) -> Family | None:
    """The family of the recipe's model; None if this machine cannot know it and need not.

    Raises:
        RecipeError: the recipe wants thinking, but the family cannot, or it is not known.
    """
    family, budget = known_family(recipe.model), recipe.answer.thinking_tokens
    if family is not None:
        family.check_thinking(budget)
    elif budget:
        raise RecipeError(
            f"answer.thinking_tokens is {budget}, but the family of {recipe.model.path} is not "
            "known on this machine; download its config.json, or give a checkpoint's folder"
        )
    return family
