"""Alterations of a reference, each a pure function of text.

Words are exchanged whole and keep their capital; everything else stays, so that a judge sees the
alteration and nothing besides.
"""

import re
from collections.abc import Mapping

from fmau.core.taxonomy import Action

GENERIC = "The person makes a small movement with a part of the body."
"""True of any clip, and so says nothing about this one."""

FILLER = (
    "This description follows what can be seen in the frames of the clip.",
    "Everything described here takes place within the short duration of the video.",
    "The observation is made with attention to every part of the body.",
)
"""Sentences without content, for padding."""


def _both_ways(pairs: Mapping[str, str]) -> dict[str, str]:
    return dict(pairs) | {other: one for one, other in pairs.items()}


SIDES = _both_ways({"left": "right", "leftward": "rightward", "leftwards": "rightwards"})
TIMES = _both_ways(
    {
        "early": "late",
        "initial": "final",
        "initially": "finally",
        "beginning": "ending",
        "begins": "ends",
        "first": "last",
        "before": "after",
    }
)
OTHER_PART = {
    **_both_ways({"head": "foot", "face": "knee", "chin": "heel", "neck": "ankle"}),
    **_both_ways({"hand": "leg", "hands": "legs", "arm": "thigh", "arms": "thighs"}),
    **_both_ways({"torso": "toe", "shoulder": "calf", "shoulders": "calves"}),
    **_both_ways({"limb": "trunk", "limbs": "trunks", "fingers": "toes", "feet": "heads"}),
}


def flipped(text: str) -> str:
    """Left and right exchanged."""
    return _exchanged(text, SIDES)


def reversed_in_time(text: str) -> str:
    """What comes early exchanged with what comes late."""
    return _exchanged(text, TIMES)


def other_part(text: str) -> str:
    """Every body part exchanged for one of another group."""
    return _exchanged(text, OTHER_PART)


def relabelled(text: str, action: Action, other: Action) -> str:
    """The micro-action's name, and the group's where that differs, exchanged for another's.

    A group's name is exchanged where it is written as a label, with a capital: elsewhere "head" is
    a word like any other.
    """
    renamed = _replaced(text, action.label, other.label)
    if other.part == action.part:
        return renamed
    return re.sub(rf"\b{re.escape(action.part)}\b", other.part, renamed)


def padded(text: str) -> str:
    """The text with filler before it, to three times its length; labels still stand at the end."""
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
