"""What a text says, as far as the lexicon reaches."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from fmau.core.taxonomy import Action, action_by_label
from fmau.dataset.labels import written_action
from fmau.judge.embedded.lexicon import (
    DIRECTIONS,
    EXCLUDES,
    INFERS,
    LEADS,
    MOVEMENTS,
    PARTS,
    PHASES,
    REGION,
    RHYTHM,
    SIDES,
    said,
)

ENDING_CHARS = 250
"""Where a conclusion stands; a label further up may be a neighbour that was ruled out."""

SIDEWAYS = dict.fromkeys(("leftward", "rightward"), "sideways")
"""When a part moves to a side belongs to time, to which side to space."""

Fact = tuple[str, ...]
"""Something said: ("hand", "left"), ("head", "leftward"), ("early", "head", "forward"), ..."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a text says.

    Attributes:
        lead: the dominant part, None if none is named.
        meaning: parts that move and how: (part, movement).
        space: sides and directions of parts: (part, side or direction).
        time: what happens in which phase: (phase, part, direction or movement); ("rhythm", ...).
        action: the micro-action named at the end.
        infers, excludes: marks of inference, and of alternatives ruled out.
    """

    lead: str | None
    meaning: frozenset[Fact]
    space: frozenset[Fact]
    time: frozenset[Fact]
    action: Action | None
    infers: int
    excludes: int


@lru_cache(maxsize=4096)  # every answer is held against its reference at three levels
def features(text: str) -> Features:
    """Read a text clause by clause.

    What a clause says is about the part it names, else about the part of the clause before; and in
    the phase it names, else in the phase of the clause before in the same sentence.
    """
    meaning: set[Fact] = set()
    space: set[Fact] = set()
    time: set[Fact] = {("rhythm", name) for _, name in said(RHYTHM, text)}
    part = "body"
    for sentence in re.split(r"(?<=[.!?])\s+|\n", text):
        phase = ""
        for clause in re.split(r"[;:,]|\band\b|\bwhile\b|\bbefore\b|\bthen\b", sentence):
            named = [name for _, name in said(PARTS, clause)]
            part = named[0] if named else part
            phase = next((name for _, name in said(PHASES, clause)), phase)
            moves = [name for _, name in said(MOVEMENTS, clause)]
            ways = [name for _, name in said(DIRECTIONS, clause)]
            meaning |= {(part, move) for move in moves}
            space |= {(part, way) for way in ways}
            space |= {(_limb(limb), side.lower()) for side, limb in SIDES.findall(clause)}
            if phase:
                time |= {(phase, part, SIDEWAYS.get(what, what)) for what in (*moves, *ways)}
    return Features(
        lead=_lead(text),
        meaning=frozenset(meaning),
        space=frozenset(space),
        time=frozenset(time),
        action=named_action(text),
        infers=len(INFERS.findall(text)),
        excludes=len(EXCLUDES.findall(text)),
    )


def named_action(text: str) -> Action | None:
    """The micro-action that a text concludes with: marked as such, or the last label it mentions.

    Among labels that end at the same place the longest counts.
    """
    if marked := written_action(text):
        return marked
    mentions = [
        (match.end(), len(label), action)
        for label, action in action_by_label().items()
        for match in re.finditer(rf"\b{re.escape(label)}\b", text[-ENDING_CHARS:].lower())
    ]
    return max(mentions, key=lambda found: found[:2])[2] if mentions else None


def _lead(text: str) -> str | None:
    """The part named beside a word of leading; else the part named most."""
    for mark in LEADS.finditer(text):
        sentence = text[mark.start() : mark.start() + 80]
        if found := next((name for _, name in said(PARTS, sentence)), None):
            return found
        before = [name for _, name in said(PARTS, text[max(0, mark.start() - 30) : mark.start()])]
        if before:
            return before[-1]
    counts = Counter(name for _, name in said(PARTS, text))
    return counts.most_common(1)[0][0] if counts else None


def _limb(word: str) -> str:
    return next((name for _, name in said(PARTS, word)), "body")


def region(part: str | None) -> str | None:
    """The broad region of a part."""
    return REGION.get(part) if part else None
