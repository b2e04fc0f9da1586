"""Options and letters that tell nothing about the answer.

FMAR lists five labels, and *every list is asked five times*, about five clips, with each of its
labels once as the answer. So, given the list, each label is right with chance 1/5, however often
labels occur among the clips; in particular every label is a distractor four times as often as it is
the answer. A list holds labels of one group, the hardest to tell
apart; only where a group has fewer than five labels (with clips left) is it filled up from the
group nearest to it. Clips of labels that are too frequent to be matched are left over.

Letters are dealt out so that their numbers differ by one at most.
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
"""Group to the groups whose actions are taken for its own most easily, nearest first."""

_SIZE: Final = Task.FMAR.option_count


def letters(count: int, options: int, rng: Generator) -> list[str]:
    """The right letter of each of `count` questions, all letters equally often, in random order."""
    alphabet = rng.permutation(list(ascii_uppercase[:options]))
    return [str(alphabet[place % options]) for place in rng.permutation(count)]


def options_with(answer: str, labels: Iterable[str], letter: str, rng: Generator) -> list[str]:
    """The labels in random order, but for the answer, which stands at its letter."""
    others = [label for label in labels if label != answer]
    options = [others[i] for i in rng.permutation(len(others))]
    options.insert(ascii_uppercase.index(letter), answer)
    return options


def option_lists(actions: Sequence[Action], rng: Generator) -> dict[int, tuple[str, ...]]:
    """The five labels that each question lists, its own among them.

    Args:
        actions: the answer of each question that is wanted.
        rng: source of all randomness.

    Returns:
        Index of the question -> labels. Questions that could not be matched are left out.
    """
    supply = _Supply(actions, rng)
    # Groups too small for lists of their own take their guests before these are used up.
    groups = sorted(parts(), key=lambda part: len(part.actions) >= _SIZE)
    lists: dict[int, tuple[str, ...]] = {}
    for alone in (True, False):
        for part in groups:
            near = () if alone and len(part.actions) >= _SIZE else NEAREST[part.label]
            while drawn := supply.draw(part.label, near):
                lists |= dict.fromkeys(drawn.values(), tuple(drawn))
    return lists


class _Supply:
    """Questions without a list as yet, by label."""

    def __init__(self, actions: Sequence[Action], rng: Generator) -> None:
        self._rng = rng
        self._left: dict[str, list[int]] = {action.label: [] for action in all_actions()}
        for index in rng.permutation(len(actions)):
            self._left[actions[index].label].append(int(index))
        self._members = {part.label: [action.label for action in part.actions] for part in parts()}

    def draw(self, group: str, near: Sequence[str]) -> dict[str, int]:
        """Take a question for each of five labels: of the group, then of the near ones in order.

        Within a group, labels with most questions left go first.

        Returns:
            Label -> question; empty if the group has none left, or all groups together too few.
        """
        labels = self._fullest(group)
        for other in near if labels else ():
            labels += self._fullest(other)
        if len(labels) < _SIZE:
            return {}
        return {label: self._left[label].pop() for label in labels[:_SIZE]}

    def _fullest(self, group: str) -> list[str]:
        """The labels of a group with questions left, most first, ties in random order."""
        labels = [label for label in self._members[group] if self._left[label]]
        shuffled = [labels[i] for i in self._rng.permutation(len(labels))]
        return sorted(shuffled, key=lambda label: -len(self._left[label]))
