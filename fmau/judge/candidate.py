"""Prepare a candidate (the answer to judge) for the judge's prompt; `request.py` uses it.

A candidate that says "give 5" must not gain a better score. Two measures prevent it:

- Passages about grading are removed, and the verdict lists them. So the judge sees the same text as
  without them. They are found by wordings that no description of a movement needs.
- The rest is put into the prompt as one JSON string. Its quotation marks and line ends are escaped,
  so no text in it can look like the end of the candidate. The marks of chat templates are broken
  up, because some tokenizers would turn them into real turns.

The reference gets the same quoting but no removal, because it comes from the question file.
"""

import json
import re
from dataclasses import dataclass

from fmau.core.texts import CHAT_MARK, normalized

_POINTS = r"(?<!high\ )\b(?:[0-5]|five)\b(?!\s*(?:o'clock|cm|(?:\w+\s+)?\w{3,}s\b))"
"""A number of points. "A high five", "five quick nods" and "5 degrees" are none."""

_BEST = r"(?:full|top|maximum|max|highest|perfect|best)"
_MARKS = r"(?:scores?|marks|credits?|grades?|ratings?|points)"
_GRADER = r"(?:judge|grader|evaluator|examiner|assessor)"
_ANSWER = r"(?:this|it|me|mine|(?:my|the|this)\s+(?:answer|candidate|response|reply|text))"

_GRADING = re.compile(
    rf"""
      \b{_BEST}\s+{_MARKS}\b(?!\s+of)
    | \b(?:scor(?:e|es|ed|ing)|rat(?:e|ed|ing)|grad(?:e|ed|ing)|marks?|points?|stars?)
      (?:\s*[:=]|\s+(?:is|of|as|at|to|with|should\s+be|must\s+be))?\s*
      (?:{_ANSWER}\s+)?(?:(?:with|as|at)\s+)?(?:an?\s+)?{_POINTS}
    | \b(?:score|rate|grade)\s+{_ANSWER}\b
    | \b(?:give|award|assign|grant|deserves?|worth|earns?)\b[^.!?,;\n]{{0,40}}?{_POINTS}
    | \b(?:give|award|assign|grant|deserves?|worth|earns?)\b[^.!?,;\n]{{0,40}}?
      (?:[0-5]|five|full)\s+(?:points?|marks?|stars?)\b
    | \b(?:[0-5]|five)\s*(?:/|out\s+of)\s*(?:5|five)\b(?!\s+(?:of|\w{{3,}}s)\b)
    | \b(?:dear|hey|attention)\s+{_GRADER}s?\b | ^\s*{_GRADER}s?\s*[,:!]
    | \bas\s+(?:the|an?|your)\s+{_GRADER}\b
    | \b{_GRADER}s?\s+(?:should|must|shall|will|ought|may|has\s+to|have\s+to|is\s+(?:told|asked))\b
    | \b(?:to|for)\s+the\s+{_GRADER}\b
    | \b(?:ignore|disregard|forget|override|skip)\b[^.!?\n]*
      \b(?:instructions?|prompts?|rules?|rubrics?|guidelines?|criteria|reference)\b
    | \b(?:ignore|disregard|forget|override)\s+(?:all|everything|anything|the|any)\s+
      (?:the\s+)?(?:above|previous|prior)\b
    | \b(?:per|by|under|following|to|in)\s+(?:the|this|your)\s+rubric\b
    | \brubric\s+(?:says|demands|allows|requires|states|gives)\b
    | \b(?:system|developer)\s+(?:prompts?|notes?|instructions?)\b | \bsystem\s+message\s*:
    | \b(?:as|you\s+are)\s+an?\s+(?:\w+\s+)?(?:ai|language\s+model|assistant|{_GRADER})\b
    | \b(?:output|reply|respond|answer|return|print)\b[^.!?\n]*(?:\bjson\b|["'{{]\s*L[123]\b)
    | ["']?\bL[123]\b["']?\s*(?:[:=]|\bis\b|\bare\b|\bto\b)\s*["']?(?:[0-5]|five)\b
    | ["']?\brationale\b["']?\s*[:=]
    | ^\s*(?:reference|candidate|question|system|user|assistant)\s*(?::|$)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Talk about grading, orders to a grader, and headings of the judge's prompt. A word ("score",
"mark", "give") alone is not enough: movements are described with them too."""

_PASSAGE = re.compile(r"[^.!?\n]*(?:[.!?]+(?=\s|$)|\n|[.!?]|$)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate as the judge sees it.

    Attributes:
        text: the text that is left.
        removed: the removed passages, in order.
    """

    text: str
    removed: tuple[str, ...]


def shown(answer: str) -> Shown:
    """Remove the passages about grading from an answer.

    First the text is normalized (Unicode NFKC) and invisible characters are removed, so that
    neither can hide a word. Then it is split into passages (sentences and lines). The passages
    that remain are joined by single spaces, so the judge cannot see where one was removed.
    """
    kept: list[str] = []
    removed: list[str] = []
    for match in _PASSAGE.finditer(CHAT_MARK.sub("\n", normalized(answer))):
        passage = " ".join(match[0].split())
        if passage:
            (removed if _GRADING.search(passage) else kept).append(passage)
    return Shown(" ".join(kept), tuple(removed))


def quoted(text: str) -> str:
    """The text as one JSON string on one line, with the marks of chat templates broken up."""
    broken = CHAT_MARK.sub(lambda mark: mark[0][0] + " " + mark[0][1:], text)
    return json.dumps(broken, ensure_ascii=False).replace("\u2028", " ").replace("\u2029", " ")
