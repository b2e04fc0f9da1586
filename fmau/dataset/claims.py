"""What a caption says, as typed claims. Questions about a clip are built from them.

Parts, phases and directions are named as in the benchmark's questions (`fmau.core.lexicon`).
`fmau.dataset.examples.reading` turns text into claims. This module says which claims there are, and
which two claims cannot both be true.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal

from fmau.core.lexicon import AXIS, OPPOSITE


@dataclass(frozen=True, slots=True)
class Movement:
    """The part moves.

    Attributes:
        part: one of `fmau.core.lexicon.PARTS`.
        phase: when; None: at some time of the clip.
        directions: in which it is farther at the end than at the start; empty if none is told.
    """

    part: str
    phase: str | None
    directions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Swing:
    """The part moves in both directions of an axis; phase None means at some time of the clip."""

    part: str
    phase: str | None
    axis: str


@dataclass(frozen=True, slots=True)
class Stillness:
    """The part does not move; phase None means in the whole clip."""

    part: str
    phase: str | None


@dataclass(frozen=True, slots=True)
class Proximity:
    """The distance between two parts changes.

    Attributes:
        part, other: the two parts, in either order.
        phase: when; None: at some time of the clip.
        kind: "nears" if the distance gets smaller, "parts" if it gets larger.
    """

    part: str
    other: str
    phase: str | None
    kind: Literal["nears", "parts"]


@dataclass(frozen=True, slots=True)
class Lead:
    """The part makes the dominant movement. The followers move as well, but less."""

    part: str
    followers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """The first part begins to move before the later part."""

    first: str
    later: str


@dataclass(frozen=True, slots=True)
class Return:
    """The part ends near the place where it began, or (`returned` False) it does not."""

    part: str
    returned: bool


Claim = Movement | Swing | Stillness | Proximity | Lead | Order | Return


def uncontradicted(claims: Iterable[Claim]) -> frozenset[Claim]:
    """The claims that no other claim contradicts.

    If two claims cannot both be true, both are left out, because nobody knows which one is wrong.
    """
    sound = set(claims)
    # A claim can contradict itself: a part that goes up and down in one phase.
    for claim, other in combinations_with_replacement(tuple(sound), 2):
        if _excludes(claim, other) or _excludes(other, claim):
            sound -= {claim, other}
    return frozenset(sound)


def _excludes(claim: Claim, other: Claim) -> bool:
    """Whether the second claim cannot be true if the first one is.

    A claim without a phase ("at some time") contradicts few others. Callers ask in both orders.
    """
    match claim, other:
        case Movement(part, str(phase), ways), Movement(part_, str(phase_), ways_):
            opposed = any(OPPOSITE[way] in ways_ for way in ways)
            return (part, phase) == (part_, phase_) and opposed
        case Movement(part, str(phase), ways), Swing(part_, str(phase_), axis):
            return (part, phase) == (part_, phase_) and any(AXIS[way] == axis for way in ways)
        case Movement() | Swing(), Stillness(part, phase):
            return claim.part == part and phase in (None, claim.phase)
        case Lead(part, followers), Stillness(still, None):
            return still in (part, *followers)
        case Lead(part), Lead(part_):
            return part != part_
        case Proximity(part, target, str(phase), kind), Proximity(part_, target_, str(phase_), way):
            return {part, target, phase} == {part_, target_, phase_} and kind != way
        case Order(first, later), Order(first_, later_):
            return (first, later) == (later_, first_)
        case Return(part, returned), Return(part_, returned_):
            return part == part_ and returned != returned_
    return False
