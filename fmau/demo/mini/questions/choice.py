"""Draws the options of the multiple-choice tasks so that they do not reveal the answer.

CMAR lists all seven groups. FMAR lists five similar actions, all or most of one group. Each of the
five must be equally likely to be right, *given these five options*. In a split the group is uniform
over 7, and the action is uniform within its group.

- A group with n >= 5 actions: the clip's action and 4 others uniformly from the group. Every set S
  of five is drawn equally often from each of its members: P(S, answer a) = 1/7 * 1/n *
  1/C(n-1, 4) for each a in S, hence P(answer a | S) = 1/5.
- Leg-hand (G) has 4 actions. A G clip gets all of G and one x uniformly from the n = 6 actions of
  Body-hand (E): P(G + x, answer g) = 1/7 * 1/4 * 1/6 = 1/168 for each g in G. So the same set must
  occur with answer x with probability 1/168 too: of the clips of x (1/7 * 1/6 = 1/42) a quarter
  get it, and the others get 5 of E as above. Again P(answer | G + x) = 1/5 for all five.

The quarter is exact (every fourth clip in order of action), and every letter is the answer equally
often.
"""

from collections.abc import Sequence
from string import ascii_uppercase

from numpy.random import Generator

from fmau.core.taxonomy import Action, action_by_code, parts

_SMALL = "Leg-hand"
_PARTNER = "Body-hand"
_OPTIONS = 5


def balanced(values: Sequence[int], count: int, rng: Generator) -> list[int]:
    """`count` values in random order, each used equally often (as nearly as possible).

    The values that are used once more than the others are drawn at random.
    """
    rounds, rest = divmod(count, len(values))
    extra = rng.choice(len(values), size=rest, replace=False)
    dealt = [*list(values) * rounds, *(values[i] for i in extra)]
    return [int(dealt[i]) for i in rng.permutation(count)]


def coarse_options(codes: Sequence[str], rng: Generator) -> list[tuple[list[str], str]]:
    """CMAR options (all groups, shuffled) and answer letter for each clip's action code."""
    groups = [part.label for part in parts()]
    answers = [action_by_code()[code].part for code in codes]
    return _place(answers, [groups] * len(codes), rng)


def fine_options(codes: Sequence[str], rng: Generator) -> list[tuple[list[str], str]]:
    """FMAR options (five action labels) and answer letter for each clip's action code."""
    members = {part.label: [action.label for action in part.actions] for part in parts()}
    answers = [action_by_code()[code] for code in codes]
    mixed = _every_fourth(answers, rng)
    small = [clip for clip, action in enumerate(answers) if action.part == _SMALL]
    guests = balanced(range(len(members[_PARTNER])), len(small), rng)
    guest_of = {clip: members[_PARTNER][guest] for clip, guest in zip(small, guests, strict=True)}
    sets = []
    for clip, action in enumerate(answers):
        if action.part == _SMALL:
            sets.append([*members[_SMALL], guest_of[clip]])
        elif clip in mixed:
            sets.append([*members[_SMALL], action.label])
        else:
            others = [label for label in members[action.part] if label != action.label]
            drawn = rng.choice(len(others), size=_OPTIONS - 1, replace=False)
            sets.append([action.label, *(others[i] for i in drawn)])
    return _place([action.label for action in answers], sets, rng)


def _every_fourth(answers: Sequence[Action], rng: Generator) -> set[int]:
    """A quarter of the Body-hand clips, spread evenly over its actions."""
    clips = [clip for clip, action in enumerate(answers) if action.part == _PARTNER]
    clips.sort(key=lambda clip: (answers[clip].code, rng.random()))
    return set(clips[int(rng.integers(4)) :: 4])


def _place(
    answers: Sequence[str], sets: Sequence[Sequence[str]], rng: Generator
) -> list[tuple[list[str], str]]:
    """Shuffle each option set; every letter is the right one equally often."""
    size = len(sets[0])
    placed = []
    for answer, options, place in zip(
        answers, sets, balanced(range(size), len(sets), rng), strict=True
    ):
        others = [option for option in options if option != answer]
        shuffled = [others[i] for i in rng.permutation(size - 1)]
        placed.append(([*shuffled[:place], answer, *shuffled[place:]], ascii_uppercase[place]))
    return placed
