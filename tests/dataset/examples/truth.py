"""Whether claims and statements are true of a clip, decided from what is measured in it.

Nothing here reads a caption or asks the code that words captions: the answers come from the facts
and the positions of the mini benchmark. True, False, or None if neither is clear.
"""

from collections.abc import Iterable

import numpy as np

from fmau.dataset.claims import (
    Claim,
    Lead,
    Movement,
    Proximity,
    Return,
    Stillness,
    Swing,
)
from fmau.dataset.examples.statements import Statement
from fmau.demo.mini.facts import CLEAR_M, PHASES, Facts, part_index

_AXIS_INDEX = {"horizontal": 0, "vertical": 1, "depth": 2}


def claim_holds(claim: Claim, facts: Facts) -> bool | None:
    """Whether a claim is true of the clip."""
    match claim:
        case Movement(part, phase, ways):
            index = part_index(part)
            return any(
                facts.moves(index, at) and all(facts.goes(index, at, way) for way in ways)
                for at in _phases(phase)
            )
        case Swing(part, phase, axis):
            sweeps = facts.sweep_KPDS[:, part_index(part), _AXIS_INDEX[axis]].min(axis=-1)
            return any(sweeps[at] >= CLEAR_M for at in _phases(phase))
        case Stillness(part, phase):
            return facts.still(part_index(part), None if phase is None else PHASES.index(phase))
        case Proximity(part, other, phase, kind):
            change = facts.nears if kind == "nears" else facts.parts_from
            return any(change(part_index(part), part_index(other), at) for at in _phases(phase))
        case Lead(part, followers):
            reach = facts.extent_P[part_index(part)]
            others = [part_index(follower) for follower in followers]
            return all(facts.moves(other) and facts.extent_P[other] < reach for other in others)
        case Return(part, returned):
            return _returned(facts, part) is returned
    raise AssertionError(f"captions of the mini benchmark make no such claim: {claim}")


def statement_holds(statement: Statement, facts: Facts) -> bool | None:
    """Whether a statement is true of the clip."""
    match statement.kind, statement.terms:
        case "direction", (part, way, phase):
            return _goes(facts, part, way, phase)
        case "directions", (part, one, two, phase):
            return _all(_goes(facts, part, way, phase) for way in (one, two))
        case "rest", (part, phase):
            return _rests(facts, part, PHASES.index(phase))
        case "rest throughout", (part,):
            return _rests(facts, part, None)
        case "throughout", (part, way):
            return _all(_goes(facts, part, way, phase) for phase in PHASES)
        case "return", (part,):
            return _returned(facts, part)
        case "both", (one, two, phase):
            resting = [_rests(facts, part, PHASES.index(phase)) for part in (one, two)]
            return _all(None if rests is None else not rests for rests in resting)
        case "while", (_, two, way, phase):
            return _goes(facts, two, way, phase)
        case ("ways same" | "ways opposite") as kind, (one, two, axis, phase):
            net_PD = facts.net_KPD[PHASES.index(phase)]
            one_m, two_m = (net_PD[part_index(part), _AXIS_INDEX[axis]] for part in (one, two))
            return bool((one_m * two_m > 0) == (kind == "ways same"))
        case "larger", (one, two):
            return bool(facts.extent_P[part_index(one)] > facts.extent_P[part_index(two)])
        case ("start before" | "start after") as kind, (one, two):
            first, later = (one, two) if kind == "start before" else (two, one)
            onsets = [facts.onset_P[part_index(part)] for part in (first, later)]
            return onsets[0].before(onsets[1]) or (False if onsets[1].before(onsets[0]) else None)
        case "start toward first", (one, way, two):
            return _first(facts, one, way) < _first(facts, two, None)
        case "start toward later", (one, two, way):
            return _first(facts, one, None) < _first(facts, two, way)
        case "start toward both", (one, way, two, other_way):
            return _first(facts, one, way) < _first(facts, two, other_way)
        case "turn", (part, way, back):
            return _first(facts, part, way) < _first(facts, part, back)
        case ("distance nears" | "distance parts") as kind, (one, two, phase):
            change = facts.nears if kind == "distance nears" else facts.parts_from
            return change(part_index(one), part_index(two), PHASES.index(phase))
    raise AssertionError(f"unknown kind of statement: {statement}")


def _phases(phase: str | None) -> range:
    return range(3) if phase is None else range(PHASES.index(phase), PHASES.index(phase) + 1)


def _goes(facts: Facts, part: str, way: str, phase: str) -> bool | None:
    return facts.goes(part_index(part), PHASES.index(phase), way)


def _rests(facts: Facts, part: str, phase: int | None) -> bool | None:
    index = part_index(part)
    return True if facts.still(index, phase) else False if facts.moves(index, phase) else None


def _returned(facts: Facts, part: str) -> bool:
    """Whether the part ends at most half as far from its first position as it once was."""
    path_TD = facts.positions_TPD[:, part_index(part)]
    away_T = np.linalg.norm(path_TD - path_TD[0], axis=-1)
    return bool(away_T[-1] <= away_T.max() / 2)


def _first(facts: Facts, part: str, way: str | None) -> int:
    """Number of the first phase in which the part goes that way, or moves at all."""
    index = part_index(part)
    return next(
        at for at in range(3) if (facts.goes(index, at, way) if way else facts.moves(index, at))
    )


def _all(truths: Iterable[bool | None]) -> bool | None:
    found = list(truths)
    return False if False in found else None if None in found else True
