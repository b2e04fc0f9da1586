"""Caption text with its terms replaced by tokens: {parts}, [phases] and <directions>.

    "In the early and middle phases the left forearm rises; then it stays still."
    "[early,middle] {left lower arm} rises; then it stays still"

Captions can come from any author. So a term is known by all names that are usual in such texts
(`fmau.core.lexicon`, as far as the claim reader reads them).
"""

import re
from collections.abc import Iterable
from typing import Final

from fmau.core.lexicon import (
    BODY_WORDS,
    LIMB_GROUPS,
    LIMBS,
    PHASE_ADVERBS,
    PHASE_WORDS,
    PHASES,
    SHORT,
    SIDES,
    BodyWord,
)

_FLAGS: Final = {"whole": "", "piece": "%", "goal": ">"}
"""`BodyWord.use` -> the flag before the parts in a token. A third flag, "~", marks a group of
limbs: if the group keeps still, all its limbs do; nothing else is concluded."""

_KNOWN: Final = [word for word in BODY_WORDS if word.claim]
_LIMB: Final = {word.word: word for word in _KNOWN if word.claim in LIMBS}
_PLURAL: Final = {word.plural: word for word in _LIMB.values()}
_PIECES: Final = [word.plural for word in _LIMB.values() if word.use == "piece"]
"""A limb has several of these, so one side may stand before the plural: "the left fingers"."""
_WHOLE: Final = {word.word: word for word in _KNOWN if word.claim not in LIMBS}

_OWNER = r"(?:the |his |her |their |its |the (?:person|subject|participant|individual)'s )?"


def _any(words: Iterable[str]) -> str:
    """A pattern of alternatives; longer words come before the shorter words they begin with."""
    return "|".join(sorted(words, key=len, reverse=True))


_SIDE = _any(SIDES)
_PART = re.compile(
    rf"(?<![\w-]){_OWNER}(?:(?P<side>{_SIDE}) (?P<limb>{_any([*_LIMB, *_PIECES])})"
    rf"|(?:both |left and right )?(?P<pair>{_any(_PLURAL)}|{_any(LIMB_GROUPS)})"
    rf"|(?P<whole>{_any(_WHOLE)})(?: (?:region|area))?)(?![\w-])"
)
_SPANS: Final = {phase: _any(words.for_claims) for phase, words in PHASE_WORDS.items()}
_SPAN = f"(?:{'|'.join(_SPANS.values())})"
_CLIP = r"(?: of (?:the|this) (?:video|clip|action|movement|motion|sequence))?"
_ADVERBIALS: Final = {
    "early": rf"{PHASE_ADVERBS['early']}|at first|"
    rf"at the (?:very )?(?:beginning|start|outset){_CLIP}",
    "middle": rf"{PHASE_ADVERBS['middle']}(?: through the (?:video|clip|action))?|"
    r"in the middle of the (?:video|clip|action)",
    "late": rf"{PHASE_ADVERBS['late']}|(?:at|toward|towards) the (?:very )?end{_CLIP}",
    ",".join(PHASES): r"throughout(?: the (?:whole |entire )?(?:video|clip|action|sequence))?|"
    r"(?:over|during|for) the (?:whole|entire) (?:video|clip|action|sequence)",
}
_PHASE = re.compile(
    r"\b(?:(?:in|during|at|within|over|throughout) )?(?:the )?"
    rf"(?P<spans>{_SPAN}(?:(?:,| and|, and) {_SPAN})*)[- ](?:phase|stage|segment|third)s?{_CLIP}\b|"
    rf"^(?P<bare>{_SPAN})(?=:)"
)
_WAY = re.compile(
    rf"\{{[^}}]*\}}|\b(?:to(?:wards?)? (?:the )?(?P<toward>{_SIDE})|"
    rf"(?P<stem>{_any(SHORT.values())})(?:wards?)?|(?P<depth>for|back)wards?)\b"
)
_IDLE = re.compile(
    r"\b(?:slowly|quickly|rapidly|smoothly|gradually|steadily|gently|sharply|noticeably|clearly|"
    r"visibly|strongly|simultaneously|also|continuously|swiftly|then(?= <)) |"
    r"slightly (?=<)| in (?:this|the) (?:video|clip)\b"
)


def mark(sentence: str) -> str:
    """Replace terms by tokens, in lower case.

    Remarks in parentheses are left out, and so are adverbs that do not change what is claimed.

    Args:
        sentence: one sentence of a caption.

    Returns:
        The text with its tokens. A part token lists all parts that are meant, and may begin with a
        flag: "{~left upper leg|left foot}".
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
        word = _WHOLE[match["whole"]]
        return _token(_FLAGS[word.use], [word.claim])
    sides = [match["side"]] if match["side"] else SIDES
    if group := LIMB_GROUPS.get(match["pair"] or ""):
        return _token("~", [f"{side} {limb}" for limb in group for side in sides])
    word = _limb(match["limb"] or match["pair"])
    return _token(_FLAGS[word.use], [f"{side} {word.claim}" for side in sides])


def _limb(word: str) -> BodyWord:
    return _LIMB.get(word) or _PLURAL[word]


def _token(flag: str, parts: Iterable[str]) -> str:
    return f"{{{flag}{'|'.join(parts)}}}"


def _way_token(match: re.Match[str]) -> str:
    stem = match["toward"] or match["stem"] or match["depth"]
    return f"<{stem}ward>" if stem else match[0]
