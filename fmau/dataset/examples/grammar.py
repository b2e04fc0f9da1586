"""Patterns of the sentences that `reading` understands. They match marked text (see `marking`).

A clause is one `SUBJECT` and then one or more `PREDICATES` up to its end. Each predicate may have a
phase. "it" and "them" mean the part that was named before.
"""

import re
from typing import Final, Literal

from fmau.core.lexicon import DIRECTION_VERBS

_MENTION = r"\{[^}]*\}"
SUBJECT = re.compile(
    rf"(?P<before>\[[a-z,]+\])?[:,]? ?(?P<who>{_MENTION}(?:(?:,? and |, ){_MENTION})*|it|they):? "
    r"(?:(?P<after>\[[a-z,]+\]) )?"
)
DOMINANT = re.compile(
    r"(the dominant (?:movement|action|motion)) (?:is (?:led|performed) by|comes from) (\{[^}]*\})"
)
JOINT = re.compile(
    r"(; |,? (?:while|whereas|but) |(?<!\}),? and (?=\{|\[|it |they )|(?<=[>\]]), (?=\{))"
)
_WAYS = r"<[a-z]+>(?:(?:, and |, | and |-)<[a-z]+>)*"
_GO = (
    r"(?:(?:begin|start|continue)s? (?:by |to )?)?"
    r"(?:mov|shift|drift|travel|migrat|swing|sweep|slid|glid|extend|retract|sway|tilt|lean)"
    r"(?:es|s|ed|ing|e)?\b"
)
_MAKE = r"(?:perform|execute|exhibit|show|make|undergoe)s? an? (?:[a-z]+ )?"
_NOUN = r"(?:movement|motion|shift|drift|sweep|trajectory|displacement)"
_NEAR = (
    r"(?:approach(?:es)?|(?:move|come|draw|get)s? (?:closer|close|nearer|near) to|"
    r"moves? towards?)"
)
_AWAY = r"(?:(?:moves?|pulls?|draws?) away|separates?|withdraws?|retreats?) from"
_EACH = r"(?:each other|one another)"
_START = r"(?:its|their) (?:start|(?:starting|initial|original) (?:position|place|point))"
_RISE, _SINK = ("|".join(DIRECTION_VERBS[way].for_claims) for way in ("upward", "downward"))
_AIM = rf"(?P<aim>{_MENTION}|it|them)"
_GOAL = rf"(?:,? towards? (?P<goal>{_MENTION}))?"

PREDICATES: Final = {
    kind: re.compile(rf"(?:{pattern})(?:,? (?P<when>\[[a-z,]+\]))?(?:,? and |, |$)")
    for kind, pattern in {
        "go": rf"{_GO}(?: (?P<ways>{_WAYS}))?{_GOAL}(?: from {_START})?",
        "make": rf"{_MAKE}(?P<ways>{_WAYS}) {_NOUN}",
        "stir": r"moves?(?: only)? slightly",
        "onward": rf"(?P<ways>{_WAYS})(?= \[)",
        "rise": rf"(?:{_RISE})(?: (?P<ways>{_WAYS}))?{_GOAL}",
        "sink": rf"(?:{_SINK})(?: (?P<ways>{_WAYS}))?{_GOAL}",
        "still": r"(?:stays?|remains?|keeps?|is|are) (?:completely |entirely |perfectly )?"
        r"(?:still|stationary|motionless|immobile|at rest)|do(?:es)? not move",
        "close up": rf"{_NEAR} {_EACH}",
        "split up": rf"(?:move|come|drift) apart(?: from {_EACH})?|"
        rf"(?:move away|separate) from {_EACH}",
        "nears": rf"{_NEAR} {_AIM}",
        "parts": rf"{_AWAY} {_AIM}",
        "rests by": rf"starts? close to {_AIM}",
        "returns": r"(?P<never>do(?:es)? not )?(?:ends? (?:near|close to) "
        rf"(?:where it started|{_START})|returns? (?:near |close )?to {_START})",
        "before": rf"(?:begins?|starts?)(?: moving| to move)? before {_AIM}(?: does)?",
        "first": rf"moves? first, followed by {_AIM}",
        "after": rf"(?:begins?|starts?)(?: moving| to move)? after {_AIM}(?: does)?",
        "timed": r"(?:starts?|begins?)(?: moving| to move)? at (?:about|around) [\d.]+ seconds",
        "leads": r"leads? the (?:dominant )?(?:movement|action|motion)",
        "follows": r"follows?",
    }.items()
}
"""Kind of predicate -> its pattern. Patterns are tried in this order; the first match counts."""

TURN = re.compile(
    r"<|\b(?:return|revers|drop|fall|descend|lower(?:s|ed|ing)\b|ris|ascend|again|back (?!and))"
)
"""Signs that a clause which is not understood tells of a change of direction."""

IMPLIED: Final = {"rise": ["upward"], "sink": ["downward"]}
"""Kind of predicate -> directions that its verb says by itself."""

WAY: Final[dict[str, Literal["nears", "parts"]]] = {
    **{"nears": "nears", "close up": "nears"},
    **{"parts": "parts", "split up": "parts"},
}
"""Kind of predicate -> what the distance does, as in `fmau.dataset.claims.Proximity`."""
