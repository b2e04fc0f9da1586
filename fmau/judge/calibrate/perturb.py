"""Alterations of a reference. Each is a pure function of the text.

Whole words are exchanged and keep their capital letter. Everything else stays as it is, so that a
judge sees the alteration and nothing else.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from fmau.core.lexicon import AXES, PROSE_TIME_OPPOSITES, SIDES, TIME_OPPOSITES, spellings
from fmau.core.taxonomy import Action

GENERIC = "The person makes a small movement with a part of the body."
"""True of every clip, so it tells nothing about the clip in question."""

FILLER = (
    "This description follows what can be seen in the frames of the clip.",
    "Everything described here takes place within the short duration of the video.",
    "The observation is made with attention to every part of the body.",
)
"""Sentences without content, for padding."""


def _both_ways(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {one: other for pair in pairs for one, other in (pair, pair[::-1])}


OTHER_SIDE: Final = _both_ways([SIDES, *zip(*map(spellings, AXES["horizontal"]), strict=True)])
"""Word -> the word for the other side."""

OTHER_TIME: Final = _both_ways([*TIME_OPPOSITES, *PROSE_TIME_OPPOSITES])
"""Word -> the word for the opposite time."""

OTHER_PART: Final = _both_ways(
    [
        *(("head", "foot"), ("face", "knee"), ("chin", "heel"), ("neck", "ankle")),
        *(("hand", "leg"), ("hands", "legs"), ("arm", "thigh"), ("arms", "thighs")),
        *(("torso", "toe"), ("shoulder", "calf"), ("shoulders", "calves")),
        *(("limb", "trunk"), ("limbs", "trunks"), ("fingers", "toes"), ("feet", "heads")),
    ]
)
"""Word -> a word for a part in another region of the body. The words are the lexicon's, and "limb"
for the limbs; which one stands in for which other is chosen here."""


def flipped(text: str) -> str:
    """The text with left and right exchanged."""
    return _exchanged(text, OTHER_SIDE)


def reversed_in_time(text: str) -> str:
    """The text with the words for early and late times exchanged."""
    return _exchanged(text, OTHER_TIME)


def other_part(text: str) -> str:
    """The text with every body part exchanged for a part in another region of the body."""
    return _exchanged(text, OTHER_PART)


def relabelled(text: str, action: Action, other: Action) -> str:
    """The text with one micro-action's label exchanged for another's.

    If the two belong to different groups, the group's label is exchanged as well, but only where it
    is written with a capital letter: "head" in small letters is the body part, not the group.
    """
    renamed = _replaced(text, action.label, other.label)
    if other.part == action.part:
        return renamed
    return re.sub(rf"\b{re.escape(action.part)}\b", other.part, renamed)


def padded(text: str) -> str:
    """The text with filler before it, three times as long as before. It still ends in its label."""
    sentences = [text]
    number = 0
    while sum(map(len, sentences)) < 3 * len(text):
        sentences.append(FILLER[number % len(FILLER)])
        number += 1
    return " ".join([*sentences[1:], text])


def _exchanged(text: str, words: Mapping[str, str]) -> str:
    pattern = re.compile(rf"\b(?:{'|'.join(sorted(words, key=len, reverse=True))})\b", re.I)
    return pattern.sub(lambda match: _cased(words[match[0].lower()], like=match[0]), text)


def _replaced(text: str, old: str, new: str) -> str:
    pattern = re.compile(rf"\b{re.escape(old)}\b", re.IGNORECASE)
    return pattern.sub(lambda match: _cased(new.lower(), like=match[0]), text)


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word
