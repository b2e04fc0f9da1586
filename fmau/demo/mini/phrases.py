"""Short true phrases about one part of one clip, in a small vocabulary; captions are built of them.

Every function reads measures and returns words. If the measures are not clear, it returns None or
an empty list.
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
"""Group -> parts, one of which performs the group's actions."""

REGIONS = {
    "Body": (),
    "Head": ("torso",),
    "Upper limb": ("head", "torso", *HANDS, "left upper leg", "right upper leg"),
    "Lower limb": _LEGS,
    "Body-hand": ("torso",),
    "Head-hand": ("head",),
    "Leg-hand": _LEGS,
}
"""Group -> parts that the acting part may approach."""

CLOSE_M = 0.28
"""A hand is close to head or torso up to this distance from its centre."""

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
"""Names for parts that stay still together, the largest groups first."""

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
    """The part that performs the clip's action: among `ACTORS`, the one that moves farthest.

    If the group is Body and the torso rests (a shrug, a turn), an upper arm may be the leader.
    """
    actors = ACTORS[action_by_code()[plan.events[0].code].part]
    if actors == ("torso",) and not facts.moves(part_index("torso")):
        actors = ("torso", "left upper arm", "right upper arm")
    return max(actors, key=lambda part: facts.extent_P[part_index(part)])


def followers(facts: Facts, plan: ClipPlan) -> list[str]:
    """At most 2 other parts that clearly move, but less far than the leader; farthest first.

    Parts of the leader's own limb are left out: they always move with it.
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
    """The parts that stay still for the whole clip; groups of still parts get one name.

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
    """At most two words for the directions in which the part clearly moves, the longest way first.

    Empty if the part swings: if on some axis it moves farther back and forth than its net
    displacement.
    """
    index = part_index(part)
    net_D = facts.net_KPD[phase, index]
    if facts.sweep_KPDS[phase, index].min(axis=-1).max() > np.linalg.norm(net_D):
        return []
    words = [word for word in DIRECTIONS if facts.goes(index, phase, word)]
    return sorted(words, key=lambda word: -abs(net_D[axis_sense(word)[0]]))[:2]


def swing(facts: Facts, part: str, phase: int) -> str | None:
    """ "up and down" or similar, if the part clearly moves both ways on an axis in the phase."""
    sweeps_DS = facts.sweep_KPDS[phase, part_index(part)]
    axis = int(np.argmax(sweeps_DS.min(axis=-1)))
    return _SWINGS[axis] if sweeps_DS[axis].min() >= CLEAR_M else None


def movement(facts: Facts, part: str, phase: int) -> str:
    """The movement of the part in the phase, as a verb phrase.

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
    """ "at about 0.4 seconds", the start of the movement; None if it is unclear or missing."""
    onset = facts.onset_P[part_index(part)]
    if not onset.late_s - onset.early_s <= 0.4:
        return None
    return f"at about {(onset.early_s + onset.late_s) / 2:.1f} seconds"


def returns(facts: Facts, part: str) -> bool | None:
    """Whether the part ends near its first position; None if it hardly moves or ends half-way."""
    index = part_index(part)
    if not facts.moves(index):
        return None
    share = facts.gap_P[index] / facts.extent_P[index]
    if share <= 0.25:
        return True
    return False if share >= 0.55 else None


def repeats(facts: Facts, part: str) -> bool | None:
    """True if the part moves back and forth (3 or more turns), False for at most 1, else None."""
    great, small = facts.turns_PS[part_index(part)]
    if great >= 3:
        return True
    return False if small <= 1 else None


def crosses(facts: Facts, part: str) -> bool | None:
    """True if the part is clearly on both sides of the midline, False if it never is, else None."""
    lesser = facts.across_PS[part_index(part)].min()
    if lesser >= CLEAR_M:
        return True
    return False if lesser <= -SLACK_M else None


def aim(facts: Facts, plan: ClipPlan) -> tuple[str, int] | None:
    """The (part, phase) that the leader approaches most; None if it clearly approaches none.

    Candidates are the parts of the group's region to which the distance clearly shrinks in a phase
    in which the leader moves. The one with the smallest remaining share of the distance is chosen.
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
    """The (part, phase) from which the leader, close to it at first, clearly moves away."""
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
    """True for equal parts and for two parts of the same arm or leg."""
    legs = part in _LEGS, other in _LEGS
    arms = part in (*HANDS, *_ARMS), other in (*HANDS, *_ARMS)
    return part.split()[0] == other.split()[0] and (all(legs) or all(arms))
