"""The vocabulary of the embedded judge: patterns of words, and what they say.

Every table is read in order, longer patterns before the shorter ones they contain.
"""

import re
from collections.abc import Iterator
from typing import Final

Table = tuple[tuple[re.Pattern[str], str], ...]


def _table(words: dict[str, str]) -> Table:
    return tuple(
        (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), name) for name, pattern in words.items()
    )


PARTS: Final = _table(
    {
        "head": r"heads?|face|chin|gaze|neck",
        "torso": r"torso|trunk|upper body|chest|back(?= (?:leans|bends|straightens))|waist",
        "shoulder": r"shoulders?",
        "hand": r"hands?|fingers?|thumbs?|palms?|fists?|wrists?",
        "arm": r"arms?|elbows?|forearms?|upper limbs?",
        "leg": r"legs?|knees?|thighs?|calf|calves|lower limbs?",
        "foot": r"foot|feet|toes?|ankles?|heels?",
    }
)
REGION: Final = {
    "head": "head",
    "torso": "torso",
    "shoulder": "torso",
    "hand": "upper limb",
    "arm": "upper limb",
    "leg": "lower limb",
    "foot": "lower limb",
}
"""Part -> the broad region that it belongs to."""

SIDES: Final = re.compile(
    r"\b(left|right|both)(?:[- ]sided)?\s+(?:(?:upper|lower)\s+)?"
    r"(heads?|hands?|fingers?|arms?|elbows?|forearms?|shoulders?|legs?|knees?|thighs?|calf|foot|"
    r"feet|side|(?:upper|lower)?\s*limbs?)\b",
    re.IGNORECASE,
)

DIRECTIONS: Final = _table(
    {
        "leftward": r"leftwards?|(?:to|towards?) (?:the |its |his |her )?left",
        "rightward": r"rightwards?|(?:to|towards?) (?:the |its |his |her )?right",
        "upward": r"upwards?|up|ris(?:es?|ing)|rais(?:es?|ed|ing)|lift(?:s|ed|ing)?|elevat\w+",
        "downward": r"downwards?|down|lower(?:s|ing)|drop(?:s|ping)?|descend(?:s|ing)?|sinks?",
        "forward": r"forwards?",
        "backward": r"backwards?",
        "outward": r"outwards?|away from|outer|apart|extends?|extending|extended|spread\w*",
        "inward": r"inwards?|inner|retracts?|retracting|retraction|withdraws?|converg\w+",
        "near": r"approach\w*|nears?|contacts?|touch\w*|proximity|close to|closer|meets?",
    }
)
OPPOSITES: Final = {
    one: other
    for pair in (
        ("leftward", "rightward"),
        ("upward", "downward"),
        ("forward", "backward"),
        ("outward", "inward"),
        ("left", "right"),
        ("early", "late"),
        ("returns", "stays away"),
        ("once", "repeated"),
    )
    for one, other in (pair, pair[::-1])
}

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

PHASES: Final = _table(
    {
        "early": r"early|initial|initially|begins?|beginning|starts?|starting|first",
        "middle": r"middle|mid|midway|subsequently|then",
        "late": r"late|later|final|finally|ends?|ending|eventually|last",
    }
)
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
LEADS: Final = re.compile(
    r"\b(?:dominant|dominated by|led by|leads?|leading|largest|primary|predominant|initiated by|"
    r"comes from)\b",
    re.IGNORECASE,
)
INFERS: Final = re.compile(
    r"\b(?:because|since|therefore|thus|hence|so|support\w*|indicat\w+|suggest\w*|consistent with|"
    r"align\w*|fits|confirm\w*|impl(?:y|ies)|allows? inference|reinforc\w+|reveal\w*)\b",
    re.IGNORECASE,
)
EXCLUDES: Final = re.compile(
    r"\b(?:exclud\w+|rul\w+ out|rather than|not (?:a|an|the)|instead of|unlike|without "
    r"contradicting|no conflicting|distinguish\w*|differ\w*)\b",
    re.IGNORECASE,
)


def said(table: Table, text: str) -> Iterator[tuple[int, str]]:
    """(position, meaning) of every match, in order of position; nothing is read twice.

    A table's earlier "stays away" so keeps "does not return" from being read as "returns".
    """
    found: list[tuple[int, int, str]] = []
    for pattern, name in table:
        for match in pattern.finditer(text):
            if not any(start < match.end() and match.start() < end for start, end, _ in found):
                found.append((match.start(), match.end(), name))
    yield from ((start, name) for start, _, name in sorted(found))
