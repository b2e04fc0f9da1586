"""The patterns of the embedded judge: words in a text, and what each of them says.

Parts, sides, directions, phases and opposites come from `fmau.core.lexicon`. Movements, rhythm and
the marks of an argument are known to this judge alone and stand here.

What is changed here, or for the judge in the lexicon, can change scores: raise
`fmau.judge.judges.EMBEDDED_VERSION` then.
"""

import re
from collections.abc import Iterator
from typing import Final

from fmau.core import lexicon
from fmau.core.lexicon import AXES, SHORT, spellings

Table = tuple[tuple[re.Pattern[str], str], ...]
"""(pattern, what it says), in the order of reading: see `said`."""


def _table(words: dict[str, str]) -> Table:
    return tuple(
        (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), name) for name, pattern in words.items()
    )


def _part_patterns() -> dict[str, str]:
    words: dict[str, list[str]] = {}
    for row in lexicon.BODY_WORDS:
        if row.judge:
            words.setdefault(row.part, []).extend(form for form in (row.word, row.plural) if form)
    # "back" is also an adverb: "moves back". Before these verbs it is the part of the body.
    words["torso"][words["torso"].index("back")] = "back(?= (?:leans|bends|straightens))"
    return {part: "|".join(forms) for part, forms in words.items()}


def _to(side: str) -> str:
    return rf"(?:to|towards?) (?:the |its |his |her )?{side}"


def _vertical(way: str) -> list[str]:
    return [*spellings(way), SHORT[way], *lexicon.DIRECTION_VERBS[way].for_judge]


PARTS: Final = _table(_part_patterns())
"""Words for the parts that are keys of `fmau.core.lexicon.REGION`."""

SIDED: Final = re.compile(
    rf"\b({'|'.join(lexicon.SIDES)}|both)(?:[- ]sided)?\s+(?:(?:upper|lower)\s+)?"
    rf"({'|'.join(lexicon.JUDGED_SIDED)}|side|(?:upper|lower)?\s*limbs?)\b",
    re.IGNORECASE,
)
"""A side and the word for the part on that side, as two groups."""

DIRECTIONS: Final = _table(
    {
        **{way: "|".join([*spellings(way), _to(SHORT[way])]) for way in AXES["horizontal"]},
        "upward": "|".join([*_vertical("upward"), r"elevat\w+"]),
        "downward": "|".join(_vertical("downward")),
        **{way: "|".join(spellings(way)) for way in AXES["depth"]},
        "outward": r"outwards?|away from|outer|apart|extends?|extending|extended|spread\w*",
        "inward": r"inwards?|inner|retracts?|retracting|retraction|withdraws?|converg\w+",
        "near": r"approach\w*|nears?|contacts?|touch\w*|proximity|close to|closer|meets?",
    }
)
OPPOSITES: Final = {
    one: other
    for pair in (
        *AXES.values(),
        ("outward", "inward"),
        lexicon.SIDES,
        (lexicon.PHASES[0], lexicon.PHASES[-1]),
        ("returns", "stays away"),
        ("once", "repeated"),
    )
    for one, other in (pair, pair[::-1])
}
"""What a word of a fact is turned into when the fact is turned into its opposite."""

MOVEMENTS: Final = _table(
    {
        "turns": r"turn(?:s|ed|ing)?|rotat\w+|twist\w*",
        "nods": r"nod(?:s|ding)?|bow(?:s|ing)?",
        "shakes": r"shak(?:e|es|ing)|oscillat\w+|swing\w*|sway\w*|trembl\w+",
        "tilts": r"tilt\w*|lean\w*|incline\w*",
        "bends": r"bend\w*|flex\w*|curl\w*",
        "stretches": r"stretch\w*|straighten\w*",
        "rubs": r"rub(?:s|bing)?|scratch\w*|strok\w+",
        "touches": r"touch\w*|contact\w*|hold(?:s|ing)?|grasp\w*|press\w*|pat(?:s|ting)?",
        "crosses": r"cross\w*|interlac\w*|clasp\w*|fold\w*",
        "shrugs": r"shrug\w*",
        "points": r"point\w*|wav(?:e|es|ing)|gestur\w+",
        "spreads": r"spread\w*|open(?:s|ing)?",
        "taps": r"tap(?:s|ping)?|stamp\w*|kick\w*",
        "keeps still": r"still|stable|stationary|motionless|negligible|no (?:\w+ )?movement",
    }
)
"""How a part moves."""


PHASES: Final = _table(
    {
        phase: "|".join([*lexicon.PHASE_WORDS[phase].for_judge, lexicon.PHASE_ADVERBS[phase]])
        for phase in lexicon.PHASES
    }
)
"""When: the phases of a clip."""

RHYTHM: Final = _table(
    {
        "repeated": r"repeat\w*|back and forth|rhythmic\w*|oscillat\w+|several times|again",
        "once": r"once|single|without repetition",
        "held": r"hold(?:s|ing)?|rests?|resting|sustained|remains?",
        "fast": r"rapid\w*|quick\w*|fast|sudden\w*|abrupt\w*|accelerat\w+",
        "slow": r"slow\w*|gradual\w*|decelerat\w+",
        "stays away": r"(?:does|do) not return|without returning",
        "returns": r"returns?|returning|recover\w*|rebounds?|back to",
    }
)
"""How a movement is spread over time, and whether it returns."""

LEADS: Final = re.compile(
    r"\b(?:dominant|dominated by|led by|leads?|leading|largest|primary|predominant|initiated by|"
    r"comes from)\b",
    re.IGNORECASE,
)
"""Words next to the dominant part."""

INFERS: Final = re.compile(
    r"\b(?:because|since|therefore|thus|hence|so|support\w*|indicat\w+|suggest\w*|consistent with|"
    r"align\w*|fits|confirm\w*|impl(?:y|ies)|allows? inference|reinforc\w+|reveal\w*)\b",
    re.IGNORECASE,
)
"""Words that draw a conclusion."""

EXCLUDES: Final = re.compile(
    r"\b(?:exclud\w+|rul\w+ out|rather than|not (?:a|an|the)|instead of|unlike|without "
    r"contradicting|no conflicting|distinguish\w*|differ\w*)\b",
    re.IGNORECASE,
)
"""Words that rule out an alternative."""


def said(table: Table, text: str) -> Iterator[tuple[int, str]]:
    """What each matched word says, with its position in the text, in the order of the text.

    No part of a text is matched twice. What stands earlier in the table goes first: "does not
    return" is found as "stays away" and then no longer as "returns".
    """
    found: list[tuple[int, int, str]] = []
    for pattern, name in table:
        for match in pattern.finditer(text):
            if not any(start < match.end() and match.start() < end for start, end, _ in found):
                found.append((match.start(), match.end(), name))
    yield from ((start, name) for start, _, name in sorted(found))
