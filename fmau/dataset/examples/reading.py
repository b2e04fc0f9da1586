"""Caption text -> claims. It is better to miss a claim than to read a wrong one.

A clause counts only if it is understood from the first word to the last: a subject, known
predicates, phases. A clause that is hedged ("may move"), negated, compared or unknown matches no
predicate and makes no claim. A claim is also left out if the caption contradicts it, or if a clause
that is not understood speaks of the same part in the same phase.

So the claims are few, but questions can also rely on what they exclude: if a caption says "moves
downward", and nothing in it stays unread about that part and phase, the part does not move upward.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fmau.core.lexicon import AXES, OPPOSITE, PHASES
from fmau.dataset.claims import (
    Claim,
    Lead,
    Movement,
    Order,
    Proximity,
    Return,
    Stillness,
    Swing,
    uncontradicted,
)
from fmau.dataset.examples.grammar import (
    DOMINANT,
    IMPLIED,
    JOINT,
    PREDICATES,
    SUBJECT,
    TURN,
    WAY,
)
from fmau.dataset.examples.marking import mark


def read_claims(texts: Iterable[str]) -> frozenset[Claim]:
    """All claims that the texts surely make and do not contradict.

    Args:
        texts: about one clip: the fields of a caption, or any other prose.
    """
    claims: set[Claim] = set()
    obscured: set[tuple[str, str]] = set()
    for text in texts:
        reader = _Reader()
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
            reader.read(mark(sentence))
        claims |= reader.claims
        obscured |= reader.obscured
    return uncontradicted(claim for claim in claims if not _hidden(claim, obscured))


@dataclass(slots=True)
class _Clause:
    """What a clause says.

    Attributes:
        understood: whether all its words are understood; if not, it makes no claims.
        who: its subject, as part tokens.
        phases: the phases that it names; if none, those of the clause before.
        claims: all claims except `Lead`, which needs the whole sentence.
        leaders: parts that lead the movement.
        followers: parts that follow.
    """

    understood: bool
    who: str
    phases: tuple[str, ...]
    claims: list[Claim] = field(default_factory=list)
    leaders: list[str] = field(default_factory=list)
    followers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """Reads the sentences of one text in order.

    Attributes:
        claims: all claims so far.
        obscured: (part, phase) pairs about which a clause that is not understood says something.
        header: phases of the heading ("Early phase: ...") above the text; empty if there is none.
        recent: phases of the last sentence that named a phase.
        who: subject of the sentence before, as part tokens.
    """

    claims: set[Claim] = field(default_factory=set)
    obscured: set[tuple[str, str]] = field(default_factory=set)
    header: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    who: str = ""

    def read(self, marked: str) -> None:
        """Read one more sentence, marked."""
        named = _phases(marked)
        if re.match(r"\[[a-z,]+\]:", marked):
            self.header = _phases(marked[: marked.index("]") + 1])
        clauses = self._clauses(_plain(marked))
        for clause, text in clauses:
            if not clause.understood:
                self.obscured |= set(self._obscured(clause, text))
        if all(clause.understood or "{" in text for clause, text in clauses):
            # A claim about the whole clip counts only where no single phase can be meant: neither
            # this sentence nor those before it may have named one.
            firm = not named and set(self.recent) in (set(), set(PHASES))
            said = [claim for clause, _ in clauses for claim in clause.claims]
            said += _lead([clause for clause, _ in clauses])
            self.claims |= {claim for claim in said if firm or not _sweeping(claim, named)}
        self.recent = named or self.recent
        self.who = clauses[-1][0].who or self.who

    def _obscured(self, clause: _Clause, text: str) -> Iterator[tuple[str, str]]:
        """The (part, phase) pairs that a clause which is not understood may be about.

        A clause with neither phase nor part, such as "it then drops again", may be about the part
        and the phases named before.
        """
        phases = clause.phases or (self.recent if TURN.search(text) else ())
        own = (start := SUBJECT.match(text)) is not None and "{" in start["who"]
        who = "" if own else clause.who or self.who
        yield from ((part, phase) for part in _parts(text + who) for phase in phases)

    def _clauses(self, marked: str) -> list[tuple[_Clause, str]]:
        """The clauses of a sentence, each with its text.

        A clause that names no phase has the phases of the clause before, except after a semicolon.
        """
        pieces = ["", *JOINT.split(marked)]
        who, phases, clauses = "", self.header, list[tuple[_Clause, str]]()
        for joint, text in zip(pieces[::2], pieces[1::2], strict=True):
            clause = _read_clause(text, who, self.header if joint == "; " else phases)
            who, phases = clause.who, clause.phases
            clauses.append((clause, text))
        return clauses


_OPENING = re.compile(r"^(?:(?P<phase>\[[a-z,]+\])[:,]? )?(?:while |as |when )?")


def _plain(marked: str) -> str:
    """The sentence without its opening word, and with the leading part as its subject.

    "while [early] ..." loses "while"; "the dominant movement is led by {head}" becomes "{head}
    leads the dominant movement".
    """
    text = _OPENING.sub(lambda match: f"{match['phase']} " if match["phase"] else "", marked)
    return DOMINANT.sub(r"\2 leads \1", text)


def _read_clause(text: str, who: str, phases: tuple[str, ...]) -> _Clause:
    """Read one clause.

    Args:
        text: of the clause, marked.
        who, phases: subject and phases of the clause before.
    """
    start = SUBJECT.match(text)
    if start is None:
        return _Clause(False, who, _phases(text) or phases)
    who = start["who"] if "{" in start["who"] else who
    phases = _phases(start["before"] or start["after"] or "") or phases
    clause, aim, back, rest = _Clause(True, who, phases), "", False, text[start.end() :]
    while rest:
        kind, match = _predicate(rest)
        if match is None:
            return _Clause(False, who, _phases(text) or phases)
        found = match.groupdict()
        aim = aim if found.get("aim") in ("it", "them") else found.get("aim") or aim
        if kind == "returns":
            back = True
        elif kind == "leads":
            clause.leaders += _parts(who, barred="~%>")
        elif kind == "follows":
            clause.followers += _parts(who, barred="~%>")
        clause.claims += _claims(kind, found, who, aim, _phases(found["when"] or "") or phases)
        rest = rest[match.end() :]
    if back:  # "moves upward and returns": it also moves downward, at a time that is not told
        clause.claims = [claim for claim in clause.claims if isinstance(claim, Return)]
    return clause


def _predicate(text: str) -> tuple[str, re.Match[str] | None]:
    """Kind and match of the predicate at the start of the text; ("", None) if there is none."""
    for kind, pattern in PREDICATES.items():
        if match := pattern.match(text):
            return kind, match
    return "", None


def _claims(
    kind: str, found: dict[str, str | None], who: str, aim: str, phases: tuple[str, ...]
) -> Iterator[Claim]:
    """The claims that one predicate makes about its subject in each phase.

    Args:
        kind: of the predicate, a key of `PREDICATES`.
        found: the named groups of its match.
        who: the subject, as part tokens.
        aim: the other part that it speaks of, as part tokens.
        phases: in which it holds; empty: at some time of the clip.
    """
    movers, others = _parts(who, barred="~>"), _parts(aim)
    for phase in phases or (None,):
        if kind in ("go", "make", "onward", "rise", "sink"):
            ways = re.findall(r"<([a-z]+)>", found.get("ways") or "") + IMPLIED.get(kind, [])
            for part in movers:
                yield from _movements(part, phase, ways)
                for goal in _parts(found.get("goal") or ""):
                    yield Proximity(part, goal, phase, "nears")
        elif kind == "still":
            yield from (Stillness(part, phase) for part in _parts(who, barred="%>"))
        elif kind in ("nears", "parts"):
            for part in movers:
                yield from (Proximity(part, other, phase, WAY[kind]) for other in others)
        elif kind in ("close up", "split up") and len(movers) == 2:
            yield Proximity(movers[0], movers[1], phase, WAY[kind])
    if kind == "returns" and (not phases or "late" in phases):
        yield from (Return(part, found["never"] is None) for part in movers)
    elif kind in ("before", "first", "after") and len(movers) == len(others) == 1:
        pair = (*movers, *others)
        yield Order(*(pair[::-1] if kind == "after" else pair))


def _movements(part: str, phase: str | None, ways: list[str]) -> Iterator[Claim]:
    """A movement in these directions, and a swing for each axis of which both are named."""
    for axis, pair in AXES.items():
        if set(pair) <= set(ways):
            yield Swing(part, phase, axis)
    onward = tuple(way for way in ways if OPPOSITE[way] not in ways)
    if onward or not ways:
        yield Movement(part, phase, onward)


def _lead(clauses: list[_Clause]) -> list[Claim]:
    """The part that leads, with the followers of the same sentence; empty if it is not clear."""
    leaders = [part for clause in clauses for part in clause.leaders]
    followers = tuple(part for clause in clauses for part in clause.followers)
    return [Lead(leaders[0], followers)] if len(leaders) == 1 else []


def _sweeping(claim: Claim, named: tuple[str, ...]) -> bool:
    """Whether the claim is about the whole clip.

    `named` are the phases that the sentence names: a return is of the whole clip if there is none.
    """
    if isinstance(claim, Return):
        return not named
    return isinstance(claim, Stillness) and claim.phase is None


def _hidden(claim: Claim, obscured: set[tuple[str, str]]) -> bool:
    """Whether a clause that is not understood speaks of what the claim is about.

    A distance is hidden only if both parts are: what one of them does is not known then.
    """
    match claim:
        case Stillness(part, None):
            return any(part == other for other, _ in obscured)
        case Movement(part, phase) | Swing(part, phase) | Stillness(part, phase):
            return (part, phase) in obscured
        case Proximity(part, other, phase):
            return {(part, phase), (other, phase)} <= obscured
    return False


def _parts(mentions: str, barred: str = "") -> list[str]:
    """The parts in all part tokens, without tokens that have one of the barred flags."""
    tokens = re.findall(r"\{([~%>]?)([^}]*)\}", mentions)
    return [part for flag, names in tokens if flag not in [*barred] for part in names.split("|")]


def _phases(marked: str) -> tuple[str, ...]:
    """The phases in all phase tokens."""
    return tuple(
        phase for token in re.findall(r"\[([a-z,]+)\]", marked) for phase in token.split(",")
    )
