"""Short true phrases about one part of one clip, in a small vocabulary.

Every function reads measures and returns words; a phrase about which the measures are not clear is
left out (None or an empty list) rather than guessed.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from fmau.core.taxonomy import action_by_code
from fmau.demo.mini.facts import (
    CLEAR_M,
    DIRECTIONS,
    PHASES,
    SLACK_M,
    Facts,
    axis_sense,
    part_index,
    phase_bounds,
)
from fmau.demo.mini.plan import BODY_PARTS, ClipPlan

HANDS = ("left hand", "right hand")
_ARMS = ("left lower arm", "right lower arm", "left upper arm", "right upper arm")
_LEGS = tuple(part for part in BODY_PARTS if part.endswith(("leg", "foot")))

ACTORS = {
    "Body": ("torso",),
    "Head": ("head",),
    "Upper limb": HANDS,
    "Lower limb": _LEGS,
    "Body-hand": HANDS,
    "Head-hand": HANDS,
    "Leg-hand": HANDS,
}
"""The parts of which one carries out the actions of a group."""

REGIONS = {
    "Body": (),
    "Head": ("torso",),
    "Upper limb": ("head", "torso", *HANDS, "left upper leg", "right upper leg"),
    "Lower limb": _LEGS,
    "Body-hand": ("torso",),
    "Head-hand": ("head",),
    "Leg-hand": _LEGS,
}
"""What the acting part may meaningfully approach."""

CLOSE_M = 0.28
"""A hand not farther than this from the centre of head or torso is close to it."""

_GROUPS = (
    ("the legs and feet", _LEGS),
    ("both arms", _ARMS),
    *(
        (f"both {plural}", (f"left {limb}", f"right {limb}"))
        for limb, plural in (
            ("hand", "hands"),
            ("upper leg", "upper legs"),
            ("lower leg", "lower legs"),
            ("foot", "feet"),
        )
    ),
)
"""Names for parts that keep still together, the largest groups first."""

_SWINGS = ("from side to side", "up and down", "forward and backward")


def join(words: Sequence[str]) -> str:
    """Words as an English list.

    >>> join(["upward", "leftward", "forward"])
    'upward, leftward and forward'
    """
    *firsts, last = words
    return f"{', '.join(firsts)} and {last}" if firsts else last


def the(parts: Sequence[str]) -> str:
    """Parts as an English list with articles.

    >>> the(["head", "left hand"])
    'the head and the left hand'
    """
    return join([f"the {part}" for part in parts])


def leader(facts: Facts, plan: ClipPlan) -> str:
    """The part that carries out the clip's action: of its group's actors the widest mover.

    A body that acts about a resting torso (a shrug, a turn) is led by an upper arm.
    """
    actors = ACTORS[action_by_code()[plan.events[0].code].part]
    if actors == ("torso",) and not facts.moves(part_index("torso")):
        actors = ("torso", "left upper arm", "right upper arm")
    return max(actors, key=lambda part: facts.extent_P[part_index(part)])


def followers(facts: Facts, plan: ClipPlan) -> list[str]:
    """Other parts that clearly move, but less far than the leader; the widest first, at most 2.

    Parts of the leader's own limb go without saying.
    """
    first = leader(facts, plan)
    reach = facts.extent_P[part_index(first)]
    moving = [
        part
        for index, part in enumerate(BODY_PARTS)
        if not same_limb(part, first) and facts.moves(index) and facts.extent_P[index] < reach
    ]
    return sorted(moving, key=lambda part: -facts.extent_P[part_index(part)])[:2]


def still_parts(facts: Facts) -> list[str]:
    """What keeps still for the whole clip, limbs put together where all of them do.

    >>> # "the head", "the torso", "both arms", "both hands", "the legs and feet", "the left foot"
    """
    still = {part for index, part in enumerate(BODY_PARTS) if facts.still(index)}
    words = []
    for name, members in _GROUPS:
        if still.issuperset(members):
            still.difference_update(members)
            words.append(name)
    return [*words, *(f"the {part}" for part in BODY_PARTS if part in still)]


def directions(facts: Facts, part: str, phase: int) -> list[str]:
    """Words for where the part clearly goes in the phase, the longest way first, at most two.

    Empty if it rather swings: if on some axis it goes farther back and forth than it gets on.
    """
    index = part_index(part)
    net_D = facts.net_KPD[phase, index]
    if facts.sweep_KPDS[phase, index].min(axis=-1).max() > np.linalg.norm(net_D):
        return []
    words = [word for word in DIRECTIONS if facts.goes(index, phase, word)]
    return sorted(words, key=lambda word: -abs(net_D[axis_sense(word)[0]]))[:2]


def swing(facts: Facts, part: str, phase: int) -> str | None:
    """ "up and down" and the like, if in the phase the part clearly goes both ways on an axis."""
    sweeps_DS = facts.sweep_KPDS[phase, part_index(part)]
    axis = int(np.argmax(sweeps_DS.min(axis=-1)))
    return _SWINGS[axis] if sweeps_DS[axis].min() >= CLEAR_M else None


def movement(facts: Facts, part: str, phase: int) -> str:
    """What the part does in the phase, as a verb phrase.

    >>> # "moves upward and leftward", "moves up and down", "stays still", "moves slightly"
    """
    index = part_index(part)
    if facts.still(index, phase):
        return "stays still"
    words = directions(facts, part, phase)
    if words:
        return f"moves {join(words)}"
    back_and_forth = swing(facts, part, phase)
    return f"moves {back_and_forth}" if back_and_forth else "moves slightly"


def timeline(facts: Facts, part: str) -> list[tuple[str, str]]:
    """(phase, verb phrase) for each phase."""
    return [(name, movement(facts, part, phase)) for phase, name in enumerate(PHASES)]


def begins(facts: Facts, part: str) -> str | None:
    """ "at about 0.4 seconds", when the part starts to move; None if it creeps off or stays."""
    onset = facts.onset_P[part_index(part)]
    if not onset.late_s - onset.early_s <= 0.4:
        return None
    return f"at about {(onset.early_s + onset.late_s) / 2:.1f} seconds"


def returns(facts: Facts, part: str) -> bool | None:
    """Whether the part ends near where it began; None if it hardly moves or ends half-way."""
    index = part_index(part)
    if not facts.moves(index):
        return None
    share = facts.gap_P[index] / facts.extent_P[index]
    if share <= 0.25:
        return True
    return False if share >= 0.55 else None


def repeats(facts: Facts, part: str) -> bool | None:
    """Whether the part goes back and forth (3 turns or more) or not (at most one)."""
    great, small = facts.turns_PS[part_index(part)]
    if great >= 3:
        return True
    return False if small <= 1 else None


def crosses(facts: Facts, part: str) -> bool | None:
    """Whether the part is clearly on both sides of the midline at some time, or never is."""
    lesser = facts.across_PS[part_index(part)].min()
    if lesser >= CLEAR_M:
        return True
    return False if lesser <= -SLACK_M else None


def aim(facts: Facts, plan: ClipPlan) -> tuple[str, int] | None:
    """The (part, phase) that the leader's movement takes it closest to, if clearly so.

    Of all parts in the group's region to which the distance clearly shrinks in a phase in which the
    leader moves, the one of which the least share of that distance is left.
    """
    part = leader(facts, plan)
    index = part_index(part)
    options = []
    for phase, (first, last) in enumerate(pairwise(phase_bounds(len(facts.positions_TPD)))):
        for other in REGIONS[action_by_code()[plan.events[0].code].part]:
            target = part_index(other)
            if same_limb(part, other) or not facts.moves(index, phase):
                continue
            if facts.nears(index, target, phase):
                before, after = np.linalg.norm(
                    facts.positions_TPD[[first, last], index]
                    - facts.positions_TPD[[first, last], target],
                    axis=-1,
                )
                options.append((after / before, other, phase))
    return min(options)[1:] if options else None


def left_behind(facts: Facts, plan: ClipPlan) -> tuple[str, int] | None:
    """The (part, phase) that the leader is close to at first and then clearly moves away from."""
    part = part_index(leader(facts, plan))
    for other in REGIONS[action_by_code()[plan.events[0].code].part]:
        target = part_index(other)
        apart_m = np.linalg.norm(facts.positions_TPD[0, part] - facts.positions_TPD[0, target])
        if other in (*HANDS, *_LEGS) or apart_m > CLOSE_M:
            continue
        for phase in range(len(PHASES)):
            if facts.parts_from(part, target, phase):
                return other, phase
    return None


def same_limb(part: str, other: str) -> bool:
    """True for a part with itself and for parts of one arm or leg, which joints hold together."""
    legs = part in _LEGS, other in _LEGS
    arms = part in (*HANDS, *_ARMS), other in (*HANDS, *_ARMS)
    return part.split()[0] == other.split()[0] and (all(legs) or all(arms))
