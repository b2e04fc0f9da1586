"""Caption text with its terms turned into tokens: {parts}, [phases] and <directions>.

    "In the early and middle phases the left forearm rises; then it stays still."
    "[early,middle] {left lower arm} rises; then it stays still"

Captions are text of any author, so each term has the names that are usual in such texts.
"""

import re
from collections.abc import Iterable
from typing import Final

from fmau.dataset.claims import LIMBS, PHASES

_ARM, _LEG = ("upper arm", "lower arm"), ("upper leg", "lower leg")

_SYNONYMS: Final = {
    **{limb: limb for limb in LIMBS},
    **{"forearm": "lower arm", "thigh": "upper leg", "calf": "lower leg", "shin": "lower leg"},
    **{"palm": "hand", "fist": "hand", "finger": "%hand"},
}
"""Limbs as captions call them. "%": a piece that may move alone, so that its rest is not the
part's; "~": a group, which as a whole can only be said to keep still; ">": a mere goal."""
_PLURALS: Final = {"foot": "feet", "calf": "calves"}
_PLURAL: Final = {_PLURALS.get(word, f"{word}s"): limb for word, limb in _SYNONYMS.items()}
_FACE: Final = ("face", "nose", "mouth", "chin", "cheek", "forehead")
_WHOLE: Final = {
    "head": "head",
    "torso": "torso",
    "trunk": "torso",
    **dict.fromkeys(_FACE, ">head"),
}
_GROUPS: Final = {
    **{"arms": _ARM, "legs and feet": (*_LEG, "foot"), "legs": _LEG},
    **{"upper limbs": (*_ARM, "hand"), "lower limbs": (*_LEG, "foot")},
}
_OWNER = r"(?:the |his |her |their |its |the (?:person|subject|participant|individual)'s )?"


def _words(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_PART = re.compile(
    rf"(?<![\w-]){_OWNER}(?:(?P<side>left|right) (?P<limb>{_words([*_SYNONYMS, 'fingers'])})"
    rf"|(?:both |left and right )?(?P<pair>{_words(_PLURAL)}|{_words(_GROUPS)})"
    rf"|(?P<whole>{_words(_WHOLE)})(?: (?:region|area))?)(?![\w-])"
)
_SPANS: Final = {
    "early": "early|initial|beginning|opening",
    "middle": "middle|mid|central",
    "late": "late|later|final|closing|ending",
}
_SPAN = "(?:" + "|".join(_SPANS.values()) + ")"
_CLIP = r"(?: of (?:the|this) (?:video|clip|action|movement|motion|sequence))?"
_ADVERBIALS: Final = {
    "early": rf"initially|at first|at the (?:very )?(?:beginning|start|outset){_CLIP}",
    "middle": "midway(?: through the (?:video|clip|action))?|"
    r"in the middle of the (?:video|clip|action)",
    "late": rf"finally|(?:at|toward|towards) the (?:very )?end{_CLIP}",
    "early,middle,late": r"throughout(?: the (?:whole |entire )?(?:video|clip|action|sequence))?|"
    r"(?:over|during|for) the (?:whole|entire) (?:video|clip|action|sequence)",
}
_PHASE = re.compile(
    r"\b(?:(?:in|during|at|within|over|throughout) )?(?:the )?"
    rf"(?P<spans>{_SPAN}(?:(?:,| and|, and) {_SPAN})*)[- ](?:phase|stage|segment|third)s?{_CLIP}\b|"
    rf"^(?P<bare>{_SPAN})(?=:)"
)
_WAY = re.compile(
    r"\{[^}]*\}|\b(?:to(?:wards?)? (?:the )?(?P<toward>left|right)|"
    r"(?P<stem>left|right|up|down)(?:wards?)?|(?P<depth>for|back)wards?)\b"
)
_IDLE = re.compile(
    r"\b(?:slowly|quickly|rapidly|smoothly|gradually|steadily|gently|sharply|noticeably|clearly|"
    r"visibly|strongly|simultaneously|also|continuously|swiftly|then(?= <)) |"
    r"slightly (?=<)| in (?:this|the) (?:video|clip)\b"
)


def mark(sentence: str) -> str:
    """Lower-case text with tokens for its terms, without remarks in parentheses and idle adverbs.

    A part token lists the parts meant, and may begin with a flag: "{~left upper leg|left foot}".
    """
    text = re.sub(r"\([^)]*\)|[*_#\"“”]", "", sentence.lower()).replace("’", "'")
    text = re.sub(r"\s+", " ", text).strip(" -•.!?")
    text = re.sub(r" (?=[,:;])", "", text)
    for phases, words in _ADVERBIALS.items():
        text = re.sub(rf"\b(?:{words})\b", f"[{phases}]", text)
    text = _PHASE.sub(_phase_token, text)
    text = _PART.sub(_part_token, text)
    text = re.sub(r"(?:from )?side to side", "leftward and rightward", text)
    return _IDLE.sub("", _WAY.sub(_way_token, text))


def _phase_token(match: re.Match[str]) -> str:
    words = re.findall(_SPAN, match["spans"] or match["bare"])
    named = [p for p in PHASES if any(re.fullmatch(_SPANS[p], word) for word in words)]
    return f"[{','.join(named)}]"


def _part_token(match: re.Match[str]) -> str:
    if match["whole"]:
        return f"{{{_WHOLE[match['whole']]}}}"
    sides = [match["side"]] if match["side"] else ["left", "right"]
    flag, limbs = "~", _GROUPS.get(match["pair"] or "", ())
    if not limbs:
        name = (_SYNONYMS | _PLURAL)[match["limb"] or match["pair"]]
        flag, limbs = "%" * name.startswith("%"), (name.lstrip("%"),)
    return "{" + flag + "|".join(f"{side} {limb}" for limb in limbs for side in sides) + "}"


def _way_token(match: re.Match[str]) -> str:
    stem = match["toward"] or match["stem"] or match["depth"]
    return f"<{stem}ward>" if stem else match[0]
