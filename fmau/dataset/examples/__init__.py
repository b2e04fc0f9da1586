"""Training examples from captioned clips: what a model is asked, and what it should answer.

A view is one way to make examples from a clip. All answers come from the clip's caption and label.
`build_examples` makes these views:

    caption, field    instructions in free words, answered by the caption or one of its fields
    CMAR, FMAR        multiple choice, from the label
    SAD MAD MAS PPR   yes or no, from the claims that the caption surely makes
    MADU, MARE        description and reasoning, from fields and label

The words of a closed question tell nothing about its answer: `options` and `pairing` say how.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.random import Generator

from fmau.core.errors import RecipeError
from fmau.core.taxonomy import YES_NO_TASKS, Task
from fmau.dataset.captions import CaptionedClip
from fmau.dataset.examples import choice, prose
from fmau.dataset.examples.example import Example
from fmau.dataset.examples.pairing import Pool
from fmau.dataset.examples.reading import read_claims
from fmau.dataset.examples.statements import Statement, statements
from fmau.dataset.examples.yes_no import yes_no

__all__ = ["VIEWS", "Examples", "build_examples"]

VIEWS: Final = ("caption", "field", *(task.value for task in Task))
"""Names of all views, as in a mixture and in `Example.view`."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Training examples, and what is missing from them.

    Attributes:
        examples: one view after the other, in the order of `VIEWS`.
        skipped: view -> number of examples that the mixture asks for but that could not be made,
            because a label, claims, or a clip with the opposite answer is missing.
    """

    examples: tuple[Example, ...]
    skipped: Mapping[str, int]


def build_examples(
    clips: Sequence[CaptionedClip], mixture: Mapping[str, float], seed: int
) -> Examples:
    """Make the training examples of a mixture.

    The order of the clips does not change the result. The examples of one view stay the same
    whatever other views the mixture has.

    Args:
        clips: each named once.
        mixture: view -> mean number of examples per clip. 0.5 means every second clip, chosen at
            random. Views that are not named are not made.
        seed: of all random choices.

    Raises:
        RecipeError: the mixture names an unknown view or a negative or infinite number.
    """
    _check(mixture)
    ordered = sorted(clips, key=lambda clip: clip.clip)
    builders = _builders(ordered, mixture)
    examples: list[Example] = []
    skipped: dict[str, int] = {}
    for number, view in enumerate(VIEWS):
        if mean := mixture.get(view, 0):
            rng = np.random.default_rng([seed, number])
            built = list(builders[view](ordered, mean, rng))
            examples += built
            skipped[view] = round(mean * len(ordered)) - len(built)
    return Examples(tuple(examples), MappingProxyType(skipped))


_Builder = Callable[[Sequence[CaptionedClip], float, Generator], Iterator[Example]]


def _builders(
    clips: Sequence[CaptionedClip], mixture: Mapping[str, float]
) -> Mapping[str, _Builder]:
    """The function that makes each view. Captions are read once, and only if a view needs it."""
    reading = any(mixture.get(task) for task in YES_NO_TASKS)
    decided = _decided(clips) if reading else []
    return {
        "caption": prose.captions,
        "field": prose.fields,
        Task.CMAR: choice.coarse,
        Task.FMAR: choice.fine,
        Task.MADU: prose.descriptions,
        Task.MARE: prose.reasonings,
        **{task: partial(yes_no, task, decided) for task in YES_NO_TASKS},
    }


def _decided(clips: Sequence[CaptionedClip]) -> list[Pool]:
    """The statements that each caption decides, one pool for each clip.

    Equal statements share one object, to save memory: clips have many statements in common.
    """
    shared: dict[Statement, Statement] = {}
    return [
        {shared.setdefault(s, s): truth for s, truth in statements(claims).items()}
        for claims in (read_claims(clip.fields.values()) for clip in clips)
    ]


def _check(mixture: Mapping[str, float]) -> None:
    problems = [
        f"mixture.{view}: unknown view; known views: {', '.join(VIEWS)}"
        for view in sorted(set(mixture) - set(VIEWS))
    ]
    problems += [
        f"mixture.{view}: {mean} examples per clip; write a number from 0 up"
        for view, mean in mixture.items()
        if not (isfinite(mean) and mean >= 0)
    ]
    if problems:
        raise RecipeError("\n".join(problems))
