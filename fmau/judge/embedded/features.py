"""What a text says, as far as it is written in words that the judge knows (see `patterns`)."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from fmau.core.lexicon import AXES, REGION
from fmau.core.taxonomy import Action, action_by_label
from fmau.dataset.labels import written_action
from fmau.judge.embedded.patterns import (
    DIRECTIONS,
    EXCLUDES,
    INFERS,
    LEADS,
    MOVEMENTS,
    PARTS,
    PHASES,
    RHYTHM,
    SIDED,
    said,
)

ENDING_CHARS = 250
"""A label in these last characters is the conclusion. A label before them may be one that the text
rules out."""

SIDEWAYS = dict.fromkeys(AXES["horizontal"], "sideways")
"""Facts of time do not tell left from right: that is scored as space, and would count twice."""

Fact = tuple[str, ...]
"""One thing that a text says: ("hand", "left"), ("early", "head", "forward"), ..."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a text says.

    Attributes:
        lead: the dominant part; None if the text names no part.
        meaning: (part, movement), for each part that moves.
        space: (part, side) and (part, direction).
        time: (phase, part, movement or direction), and ("rhythm", how it moves).
        action: the micro-action that the text concludes with; None if it names none.
        infers: number of words that draw a conclusion ("therefore").
        excludes: number of words that rule out an alternative ("rather than").
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

    A clause is about the part that it names. If it names none, it is about the part of the clause
    before. The same goes for the phase, but only within a sentence.
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
            space |= {(_limb(limb), side.lower()) for side, limb in SIDED.findall(clause)}
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
    """The micro-action that a text concludes with; None if there is none.

    This is the label in the marked last line of MARE answers. Without such a line it is the last
    label that the text mentions near its end; of labels that end at the same place, the longest.
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
    """The part named next to a word such as "dominant"; else the part named most often."""
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
    """The part that a word names; "body" if the judge does not know the word."""
    return next((name for _, name in said(PARTS, word)), "body")


def region(part: str | None) -> str | None:
    """The broad region of a part; None if there is no part or it has no region."""
    return REGION.get(part) if part else None
