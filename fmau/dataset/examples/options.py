"""Options and letters of multiple choice that tell nothing about the answer.

An FMAR question lists five labels. Every list is used for five questions about five clips, and each
of its labels is the answer once. So each listed label is right with chance 1/5, even if some labels
have many more clips than others.

The labels of a list come from one group, because these are the hardest to tell apart. If a group
has fewer than five labels with clips left, the list is filled up from the groups in `NEAREST`.
Clips whose label is too frequent to find four partners are not asked about.

Of the letters, each is right equally often; their counts differ by 1 at most.
"""

from collections.abc import Iterable, Sequence
from string import ascii_uppercase
from typing import Final

from numpy.random import Generator

from fmau.core.taxonomy import Action, Task, parts
from fmau.core.taxonomy import actions as all_actions

NEAREST: Final = {
    "Body": ("Head", "Upper limb", "Body-hand"),
    "Head": ("Body", "Head-hand", "Upper limb"),
    "Upper limb": ("Body-hand", "Head-hand", "Leg-hand"),
    "Lower limb": ("Leg-hand", "Body", "Upper limb"),
    "Body-hand": ("Head-hand", "Leg-hand", "Upper limb"),
    "Head-hand": ("Body-hand", "Head", "Upper limb"),
    "Leg-hand": ("Body-hand", "Lower limb", "Head-hand"),
}
"""Group -> the groups whose actions are most easily confused with its own, nearest first."""

_SIZE: Final = Task.FMAR.option_count


def letters(count: int, options: int, rng: Generator) -> list[str]:
    """The right letter of each of `count` questions: all equally often, in random order."""
    alphabet = rng.permutation(list(ascii_uppercase[:options]))
    return [str(alphabet[place % options]) for place in rng.permutation(count)]


def options_with(answer: str, labels: Iterable[str], letter: str, rng: Generator) -> list[str]:
    """The labels in random order, with the answer at its letter."""
    others = [label for label in labels if label != answer]
    options = [others[i] for i in rng.permutation(len(others))]
    options.insert(ascii_uppercase.index(letter), answer)
    return options


def option_lists(actions: Sequence[Action], rng: Generator) -> dict[int, tuple[str, ...]]:
    """The five labels that each question lists, the answer among them.

    Args:
        actions: the answer of each question.
        rng: source of all randomness.

    Returns:
        Index of the question -> its labels. A question that got no list is missing.
    """
    supply = _Supply(actions, rng)
    # Groups with fewer than five labels go first: they need labels of other groups, which may be
    # used up later.
    groups = sorted(parts(), key=lambda part: len(part.actions) >= _SIZE)
    lists: dict[int, tuple[str, ...]] = {}
    for alone in (True, False):
        for part in groups:
            near = () if alone and len(part.actions) >= _SIZE else NEAREST[part.label]
            while drawn := supply.draw(part.label, near):
                lists |= dict.fromkeys(drawn.values(), tuple(drawn))
    return lists


class _Supply:
    """The questions that have no list yet, by label."""

    def __init__(self, actions: Sequence[Action], rng: Generator) -> None:
        self._rng = rng
        self._left: dict[str, list[int]] = {action.label: [] for action in all_actions()}
        for index in rng.permutation(len(actions)):
            self._left[actions[index].label].append(int(index))
        self._members = {part.label: [action.label for action in part.actions] for part in parts()}

    def draw(self, group: str, near: Sequence[str]) -> dict[str, int]:
        """Take one question for each of five labels.

        The labels come from the group, and then from the groups in `near`, in their order. Within a
        group, labels with more questions left go first.

        Returns:
            Label -> question. Empty if the group has no question left, or if all these groups
            together have fewer than five labels left.
        """
        labels = self._fullest(group)
        for other in near if labels else ():
            labels += self._fullest(other)
        if len(labels) < _SIZE:
            return {}
        return {label: self._left[label].pop() for label in labels[:_SIZE]}

    def _fullest(self, group: str) -> list[str]:
        """The labels of a group that have questions left; those with more questions first."""
        labels = [label for label in self._members[group] if self._left[label]]
        shuffled = [labels[i] for i in self._rng.permutation(len(labels))]
        return sorted(shuffled, key=lambda label: -len(self._left[label]))
