"""What a caption says, as typed claims: the ground on which questions about a clip are built.

The vocabulary (parts, phases, directions) is that of the benchmark's questions. Text becomes claims
in `fmau.dataset.examples.reading`; here is what claims are, and when two of them can't both hold.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

PHASES: Final = ("early", "middle", "late")
AXES: Final = {
    "horizontal": ("leftward", "rightward"),
    "vertical": ("upward", "downward"),
    "depth": ("forward", "backward"),
}
"""Axis -> its two directions; left and right are the subject's own."""
AXIS: Final = {way: axis for axis, ways in AXES.items() for way in ways}
OPPOSITE: Final = {one: other for pair in AXES.values() for one, other in (pair, pair[::-1])}
"""Direction -> the other way on the same axis."""

LIMBS: Final = ("upper arm", "lower arm", "hand", "upper leg", "lower leg", "foot")
PARTS: Final = (
    "head",
    "torso",
    *(f"{side} {limb}" for limb in LIMBS for side in ("left", "right")),
)
"""The body parts as the questions name them."""


@dataclass(frozen=True, slots=True)
class Movement:
    """The part moves, and gets on in these directions; phase None means at some time."""

    part: str
    phase: str | None
    directions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Swing:
    """The part moves both ways on an axis; phase None means at some time."""

    part: str
    phase: str | None
    axis: str


@dataclass(frozen=True, slots=True)
class Stillness:
    """The part keeps still; phase None means in the whole clip."""

    part: str
    phase: str | None


@dataclass(frozen=True, slots=True)
class Proximity:
    """The part nears the other, or parts from it; phase None means at some time."""

    part: str
    other: str
    phase: str | None
    kind: Literal["nears", "parts"]


@dataclass(frozen=True, slots=True)
class Lead:
    """The part makes the dominant movement; the followers move too, but less."""

    part: str
    followers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """The first part begins to move before the later one does."""

    first: str
    later: str


@dataclass(frozen=True, slots=True)
class Return:
    """Whether the part ends near where it began."""

    part: str
    returned: bool


Claim = Movement | Swing | Stillness | Proximity | Lead | Order | Return


def uncontradicted(claims: Iterable[Claim]) -> frozenset[Claim]:
    """The claims that no other one excludes; of two that exclude each other, neither is left."""
    claims = frozenset(claims)
    return frozenset(
        claim
        for claim in claims
        if not any(_excludes(claim, other) or _excludes(other, claim) for other in claims)
    )


def _excludes(claim: Claim, other: Claim) -> bool:
    """Whether the first rules the second out; what happens "at some time" rules little out."""
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
