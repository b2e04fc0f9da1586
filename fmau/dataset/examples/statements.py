"""Claims of a caption -> statements for yes/no questions, each with its answer.

A statement is true if the claims imply it, and false if they exclude it. What the claims leave open
is not asked. How a statement is worded (`wording`), and which statements are asked (`pairing`), is
decided elsewhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations, permutations, product

from fmau.core.lexicon import AXES, AXIS, OPPOSITE, PARTS, PHASES
from fmau.core.taxonomy import Task
from fmau.dataset.claims import (
    Claim,
    Lead,
    Movement,
    Order,
    Proximity,
    Return,
    Stillness,
    Swing,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that is true or false of a clip.

    Attributes:
        task: SAD, MAD, MAS or PPR.
        kind: key of its wordings in `wording.YES_NO`, e.g. "direction".
        terms: parts, directions, axis and phase, in the order in which the wordings number them.
    """

    task: Task
    kind: str
    terms: tuple[str, ...]

    @property
    def theme(self) -> frozenset[str]:
        """What it is about. Statements of one theme, such as opposites, give each other away."""
        return _theme(self.kind, self.terms)


@cache
def _theme(kind: str, terms: tuple[str, ...]) -> frozenset[str]:
    return frozenset([kind.split()[0], *(AXIS.get(term, term) for term in terms)])


Truths = Iterator[tuple[Statement, bool]]


def statements(claims: Iterable[Claim]) -> dict[Statement, bool]:
    """All statements that the claims decide, each with its answer, in a fixed order.

    Args:
        claims: of one clip, without contradictions, as `reading.read_claims` returns them.

    Returns:
        Statement -> whether it is true.
    """
    known = _Known.of(claims)
    sources = (_single, _joint, _order, _relation)
    return dict(pair for source in sources for pair in source(known))


@dataclass(slots=True)
class _Known:
    """The claims of one clip, sorted for look-up.

    Attributes:
        ways: (part, phase) -> directions in which the part moves then.
        moving: (part, phase) pairs in which the part moves.
        some_time: (part, direction) pairs that are claimed without a phase.
        resting: (part, phase) pairs in which the part keeps still.
        distance: (pair of parts, phase) -> what the distance does, "nears" or "parts"; phase None:
            at some time.
        leads, orders, returns: the claims of these kinds.
    """

    ways: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    moving: set[tuple[str, str]] = field(default_factory=set)
    some_time: set[tuple[str, str]] = field(default_factory=set)
    resting: set[tuple[str, str]] = field(default_factory=set)
    distance: dict[tuple[frozenset[str], str | None], set[str]] = field(default_factory=dict)
    leads: list[Lead] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)

    @classmethod
    def of(cls, claims: Iterable[Claim]) -> "_Known":
        """Sort the claims of one clip."""
        known = cls()
        for claim in sorted(claims, key=repr):
            match claim:
                case Movement(part, None, ways):
                    known.some_time |= {(part, way) for way in ways}
                case Swing(part, None, axis):
                    known.some_time |= {(part, way) for way in AXES[axis]}
                case Movement(part, str(phase), ways):
                    known.moving.add((part, phase))
                    known.ways.setdefault((part, phase), set()).update(ways)
                case Swing(part, str(phase)):
                    known.moving.add((part, phase))
                case Stillness(part, phase):
                    known.resting |= {(part, at) for at in ([phase] if phase else PHASES)}
                case Proximity(part, other, phase, kind):
                    key = frozenset((part, other)), phase
                    known.distance.setdefault(key, set()).add(kind)
                case Lead():
                    known.leads.append(claim)
                case Order():
                    known.orders.append(claim)
                case Return():
                    known.returns.append(claim)
        return known

    @property
    def movers(self) -> list[str]:
        """Parts that move in some phase."""
        moving = {part for part, _ in self.moving}
        return [part for part in PARTS if part in moving]

    @property
    def parts(self) -> list[str]:
        """Parts of which it is known that they move or rest in some phase."""
        named = {part for part, _ in self.moving | self.resting}
        return [part for part in PARTS if part in named]

    def moves(self, part: str, phase: str) -> bool | None:
        """Whether the part moves in the phase; None if nothing says so."""
        if (part, phase) in self.moving:
            return True
        return False if (part, phase) in self.resting else None

    def goes(self, part: str, phase: str, way: str) -> bool | None:
        """Whether the part moves in that direction in the phase; None if the claims leave it open.

        A claim of the opposite direction excludes it. But if the part also moves in that direction
        at a time that is not named, it could be in this phase, and it stays open.
        """
        ways = self.ways.get((part, phase), set())
        if way in ways:
            return True
        excluded = OPPOSITE[way] in ways and (part, way) not in self.some_time
        return False if excluded or (part, phase) in self.resting else None

    def does(self, part: str, way: str, phase: str) -> bool | None:
        """`goes` if there is a direction, `moves` if the direction is ""."""
        return self.goes(part, phase, way) if way else self.moves(part, phase)

    def rests(self, part: str) -> bool:
        """Whether the part keeps still for the whole clip."""
        return all((part, phase) in self.resting for phase in PHASES)


def _single(known: _Known) -> Truths:
    """SAD: direction, stillness and return of one part."""
    for part in known.parts:
        for phase in PHASES:
            goes = {way: known.goes(part, phase, way) for way in OPPOSITE}
            for way, truth in goes.items():
                if truth is not None:
                    yield Statement(Task.SAD, "direction", (part, way, phase)), truth
            for one, two in combinations(goes, 2) if (part, phase) in known.moving else ():
                truths = goes[one], goes[two]
                if AXIS[one] != AXIS[two] and (False in truths or None not in truths):
                    yield Statement(Task.SAD, "directions", (part, one, two, phase)), all(truths)
            moves = known.moves(part, phase)
            if moves is not None:
                yield Statement(Task.SAD, "rest", (part, phase)), not moves
        if known.rests(part) or part in known.movers:
            yield Statement(Task.SAD, "rest throughout", (part,)), known.rests(part)
        for way in OPPOSITE if part in known.movers else ():
            course = [known.goes(part, phase, way) for phase in PHASES]
            if None not in course or False in course:
                yield Statement(Task.SAD, "throughout", (part, way)), all(course)
    for claim in known.returns:
        yield Statement(Task.SAD, "return", (claim.part,)), claim.returned


def _joint(known: _Known) -> Truths:
    """MAD: what two parts do in the same phase, and which of the two moves more."""
    for (one, two), phase in product(permutations(known.parts, 2), PHASES):
        moves = known.moves(one, phase), known.moves(two, phase)
        if PARTS.index(one) < PARTS.index(two) and True in moves and None not in moves:
            yield Statement(Task.MAD, "both", (one, two, phase)), all(moves)
        if not moves[0] or two not in known.movers:
            continue
        for way in OPPOSITE:
            truth = known.goes(two, phase, way)
            if truth is not None:
                yield Statement(Task.MAD, "while", (one, two, way, phase)), truth
        if PARTS.index(one) < PARTS.index(two):
            yield from _ways(known, one, two, phase)
    yield from _larger(known)


def _ways(known: _Known, one: str, two: str, phase: str) -> Truths:
    """MAD: whether two moving parts move in the same direction of an axis, or in opposite ones."""
    for axis in ("horizontal", "vertical"):
        senses = [[known.goes(part, phase, way) for way in AXES[axis]] for part in (one, two)]
        if all(True in sense for sense in senses):
            terms = (one, two, axis, phase)
            yield Statement(Task.MAD, "ways same", terms), senses[0] == senses[1]
            yield Statement(Task.MAD, "ways opposite", terms), senses[0] != senses[1]


def _larger(known: _Known) -> Truths:
    """MAD: which of two parts moves more.

    The leader moves more than its followers, and each part that moves more than each that rests.
    """
    pairs = {(claim.part, part) for claim in known.leads for part in claim.followers}
    resting = [part for part in known.parts if known.rests(part)]
    pairs |= set(product(known.movers, resting))
    for more, less in sorted(pairs):
        if (less, more) not in pairs:
            yield Statement(Task.MAD, "larger", (more, less)), True
            yield Statement(Task.MAD, "larger", (less, more)), False


def _order(known: _Known) -> Truths:
    """MAS: which of two starts of a movement comes first.

    The two starts belong to two parts, or are opposite directions of one part (a turn).
    """
    starts = sorted((part, way) for (part, _), ways in known.ways.items() for way in ways)
    starts = [*((part, "") for part in known.movers), *dict.fromkeys(starts)]
    precede = {(one, two) for one, two in permutations(starts, 2) if _precedes(known, one, two)}
    precede |= {((claim.first, ""), (claim.later, "")) for claim in known.orders}
    for one, two in sorted(precede):
        if (two, one) not in precede:
            for truth, (first, later) in ((True, (one, two)), (False, (two, one))):
                for kind, terms in _ordered(first, later):
                    yield Statement(Task.MAS, kind, terms), truth


_Start = tuple[str, str]
"""(part, direction) of a movement that begins; "" for any direction."""


def _precedes(known: _Known, one: _Start, two: _Start) -> bool:
    """Whether the first movement surely begins before the second.

    So it is if there is a phase with the first movement in it, without the second in it or before
    it, and with the second in a later phase. Two movements of one part are compared only if their
    directions are opposite.
    """
    if one[0] == two[0] and OPPOSITE.get(one[1]) != two[1]:
        return False
    first = [known.does(*one, phase) for phase in PHASES]
    later = [known.does(*two, phase) for phase in PHASES]
    return any(
        first[now] and set(later[: now + 1]) == {False} and True in later[now + 1 :]
        for now in range(len(PHASES))
    )


def _ordered(first: _Start, later: _Start) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Kind and terms of all statements which say that the first start comes before the later."""
    (one, way), (two, then) = first, later
    if one == two:
        yield "turn", (one, way, then)
    elif way and then:
        yield "start toward both", (one, way, two, then)
    elif way:
        yield "start toward first", (one, way, two)
    elif then:
        yield "start toward later", (one, two, then)
    else:
        yield "start before", (one, two)
        yield "start after", (two, one)


def _relation(known: _Known) -> Truths:
    """PPR: whether two parts come closer to each other, or move apart, in a phase."""
    pairs = {pair for pair, _ in known.distance}
    pairs |= {frozenset(pair) for pair in combinations(known.parts, 2)}
    for pair, phase in product(sorted(pairs, key=sorted), PHASES):
        said = known.distance.get((pair, phase), set())
        loosely = known.distance.get((pair, None), set())
        resting = all((part, phase) in known.resting for part in pair)
        for kind, contrary in (("nears", "parts"), ("parts", "nears")):
            excluded = contrary in said and kind not in loosely
            if kind in said or excluded or resting:
                terms = (*sorted(pair, key=_agency), phase)
                yield Statement(Task.PPR, f"distance {kind}", terms), kind in said


def _agency(part: str) -> tuple[bool, bool, int]:
    """Sort key: hands first, then other limbs, then head and torso.

    Questions name the part first that is more likely to be the one that moves.
    """
    return "hand" not in part, " " not in part, PARTS.index(part)
