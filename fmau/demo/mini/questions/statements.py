"""Lists all yes/no statements that can be asked about a clip, with their truth.

A statement is listed only if the measures show clearly that it is true or that it is false. It has
no wording yet: `wording` turns its terms into a question.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np

from fmau.core.taxonomy import Task
from fmau.demo.mini.facts import CLEAR_M, DIRECTIONS, PHASES, SLACK_M, Facts, part_index
from fmau.demo.mini.phrases import crosses, repeats, returns, same_limb
from fmau.demo.mini.plan import BODY_PARTS, ClipPlan

RATIO = 1.6
"""One movement is "larger" than another from this ratio on, and by at least `CLEAR_M`."""

EXTREMES = (("highest", "lowest", 1), ("leftmost", "rightmost", 0))
"""Opposite extreme points of a path and their axis."""

_LIMBS = tuple(part for part in BODY_PARTS if " " in part)
_PAIRS = tuple(
    (part, other) for part, other in combinations(BODY_PARTS, 2) if not same_limb(part, other)
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that can be asked about a clip.

    Attributes:
        task: SAD, MAD, MAS or PPR.
        kind: kind of statement, e.g. "direction"; every kind has its own wordings.
        parts: the one or two named parts, in order of mention.
        term: the claim about them, e.g. "upward", "same", "before", "approach".
        scope: the phase, axis or pair of extremes that it is about; "" for the whole clip.
        truth: whether it is true in this clip.
    """

    task: Task
    kind: str
    parts: tuple[str, ...]
    term: str
    scope: str
    truth: bool

    @property
    def terms(self) -> tuple[str, ...]:
        """Everything in a question's text except its wording: kind, parts, term, scope.

        The second part is "" if there is none.
        """
        one, two = (*self.parts, "")[:2]
        return self.kind, one, two, self.term, self.scope

    @property
    def theme(self) -> tuple[str, ...]:
        """Equal for two statements if one, or its opposite, follows from the other."""
        return self.kind, *sorted(self.parts), self.scope


def candidates(facts: Facts, plan: ClipPlan) -> tuple[Statement, ...]:
    """All yes/no statements that can be asked about a clip.

    Args:
        facts: the measures of `observe`.
        plan: the clip's plan; if it repeats an action, no statement denies repetition.

    Returns:
        Statements of the four yes/no tasks, both true and false ones, in a fixed order.
    """
    # A rub or a wiggle can be too small for the tracked part's centre to show its turns.
    repeated = plan.events[0].cycles > 1
    return tuple(
        statement
        for source in (_single, _joint, _order, _relation)
        for statement in source(facts)
        if not (repeated and statement.kind == "repetition" and not statement.truth)
    )


def _single(facts: Facts) -> Iterator[Statement]:
    """SAD: direction, stillness, return, repetition, midline and course of one part."""

    def sad(kind: str, part: str, term: str, scope: str, truth: bool | None) -> list[Statement]:
        return [] if truth is None else [Statement(Task.SAD, kind, (part,), term, scope, truth)]

    for index, part in enumerate(BODY_PARTS):
        for (phase, name), word in product(enumerate(PHASES), DIRECTIONS):
            yield from sad("direction", part, word, name, facts.goes(index, phase, word))
        for phase, name in enumerate(PHASES):
            yield from sad("stillness", part, "still", name, _still(facts, index, phase))
        yield from sad("stillness", part, "still", "", _still(facts, index, None))
        yield from sad("return", part, "return", "", returns(facts, part))
        yield from sad("repetition", part, "repeat", "", repeats(facts, part))
        for axis, words in enumerate(("leftward and rightward", "upward and downward")):
            sweeps_S = np.sort(facts.sweep_PDS[index, axis])
            if sweeps_S[0] >= CLEAR_M or (sweeps_S[0] <= SLACK_M and sweeps_S[1] >= CLEAR_M):
                yield from sad("both ways", part, words, "", bool(sweeps_S[0] >= CLEAR_M))
        if part in _LIMBS:
            yield from sad("midline", part, "cross", "", crosses(facts, part))
        for first, last in permutations(PHASES, 2):
            larger = _larger(
                facts.path_KP[PHASES.index(first), index],
                facts.path_KP[PHASES.index(last), index],
            )
            yield from sad("effort", part, first, last, larger)


def _joint(facts: Facts) -> Iterator[Statement]:
    """MAD: common direction, common movement and comparison of two parts."""
    for pair in _PAIRS:
        one, two = map(part_index, pair)
        for phase, name in enumerate(PHASES):
            both = facts.moves(one, phase) and facts.moves(two, phase)
            if both or facts.still(one, phase) or facts.still(two, phase):
                yield Statement(Task.MAD, "together", pair, "both", name, both)
            for axis, way in enumerate(("horizontal", "vertical")):
                senses = _sense(facts, one, phase, axis) * _sense(facts, two, phase, axis)
                for term, sign in (("same", 1), ("opposite", -1)):
                    if senses:
                        truth = senses == sign
                        yield Statement(Task.MAD, "ways", pair, f"{term} {way}", name, truth)
        for first, second in (pair, pair[::-1]):
            extents = [facts.extent_P[part_index(part)] for part in (first, second)]
            larger = _larger(*extents)
            if larger is not None:
                yield Statement(Task.MAD, "amplitude", (first, second), "larger", "", larger)


def _order(facts: Facts) -> Iterator[Statement]:
    """MAS: which of two parts starts, or comes to rest, first; order of extremes of one part."""
    for pair in _PAIRS:
        if not all(facts.moves(part_index(part)) for part in pair):
            continue
        for kind, moments in (("onset", facts.onset_P), ("rest", facts.rest_P)):
            one, two = (moments[part_index(part)] for part in pair)
            if one.before(two) or two.before(one):
                ordered = pair if one.before(two) else pair[::-1]
                for term, earlier in (("before", ordered), ("after", ordered[::-1])):
                    yield Statement(Task.MAS, kind, earlier, term, "", True)
                    yield Statement(Task.MAS, kind, earlier[::-1], term, "", False)
    for index, part in enumerate(BODY_PARTS):
        for high, low, axis in EXTREMES:
            up_first = _high_first(facts, index, axis)
            if up_first is not None:
                scope = f"{high}/{low}"
                yield Statement(Task.MAS, "extremes", (part,), high, scope, up_first)
                yield Statement(Task.MAS, "extremes", (part,), low, scope, not up_first)


def _relation(facts: Facts) -> Iterator[Statement]:
    """PPR: whether two parts come closer or move apart in a phase."""
    for pair in _PAIRS:
        one, two = map(part_index, pair)
        for phase, name in enumerate(PHASES):
            for term, truth in (
                ("approach", facts.nears(one, two, phase)),
                ("leave", facts.parts_from(one, two, phase)),
            ):
                if truth is not None:
                    yield Statement(Task.PPR, "distance", pair, term, name, truth)


def _still(facts: Facts, part: int, phase: int | None) -> bool | None:
    """True if still, False if moving, None in between."""
    if facts.still(part, phase):
        return True
    return False if facts.moves(part, phase) else None


def _larger(one_m: float, two_m: float) -> bool | None:
    """True if the first is clearly larger, False if the second is, None if they are similar."""
    lesser, greater = sorted((one_m, two_m))
    if greater < RATIO * lesser or greater - lesser < CLEAR_M:
        return None
    return bool(one_m > two_m)


def _sense(facts: Facts, part: int, phase: int, axis: int) -> int:
    """+1 or -1 if the part clearly moves in one direction of the axis and not back, else 0."""
    net = facts.net_KPD[phase, part, axis]
    back = facts.sweep_KPDS[phase, part, axis, int(net > 0)]
    return int(np.sign(net)) if abs(net) >= CLEAR_M and back <= SLACK_M else 0


def _high_first(facts: Facts, part: int, axis: int) -> bool | None:
    """Whether the part reaches its largest value on the axis before its smallest; None if unclear.

    Clear means: all frames in the top fifth of the range come before all frames in the bottom
    fifth, or the other way round.
    """
    values_T = facts.positions_TPD[:, part, axis]
    low, high = values_T.min(), values_T.max()
    if high - low < CLEAR_M:
        return None
    top = np.flatnonzero(values_T >= high - 0.2 * (high - low))
    bottom = np.flatnonzero(values_T <= low + 0.2 * (high - low))
    if top[-1] < bottom[0]:
        return True
    return False if bottom[-1] < top[0] else None
