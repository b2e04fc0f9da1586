"""Prepare a candidate (the answer to judge) for the judge's prompt; `request.py` uses it.

A candidate that says "give 5" must not gain a better score. Two measures prevent it:

- Passages about grading are removed, and the verdict lists them. So the judge sees the same text as
  without them. They are found by words that no description of a movement needs.
- The rest is put into the prompt as one JSON string. Its quotation marks and line ends are escaped,
  so no text in it can look like the end of the candidate. The marks of chat templates are broken
  up, because some tokenizers would turn them into real turns.

The reference gets the same quoting but no removal, because it comes from the question file.
"""

import json
import re
from dataclasses import dataclass

from fmau.core.texts import CHAT_MARK, normalized

_GRADING = re.compile(
    r"""
      \b(?:scor(?:e|es|ed|ing)|rubrics?|grad(?:e|es|ed|er|ers|ing)|rat(?:ed|ing|ings))\b
    | \b(?:points?|marks?|stars?)\s*(?::|=|out\s+of|/)\s*\d
    | \b(?:full|top|maximum|highest|perfect)\s+(?:points?|marks?|credit)\b
    | \b(?:the|dear|to|hey|any|every|as\s+a)\s+judges?\b | ^\s*judges?\s*[,:!]
    | \b(?:evaluator|examiner|assessor)s?\b
    | \b(?:ignore|disregard|forget|override)\b[^.!?\n]*
      \b(?:instruction|prompt|rule|above|previous|prior|reference|guideline|criteria)
    | \b(?:system|developer)\s+(?:prompt|message|note|instruction)
    | \b(?:as\s+an?|you\s+are\s+an?)\s+(?:ai|language\s+model|assistant|helpful)\b
    | \b(?:output|reply|respond|answer|return|print)\b[^.!?\n]*(?:\bjson\b|["'{]\s*L[123]\b)
    | ["']?\bL[123]\b["']?\s*(?:[:=]|\bis\b|\bare\b|\bto\b)
    | \b(?:award|assign|deserves?|worth)\b[^.!?\n]*(?:\b[0-5]\b|\bfive\b|\bfull\b)
    | \bgive\s+(?:\w+\s+){0,4}?(?:[0-5]|five|full|maximum)\b
    | \b[0-5]\s*(?:/|out\s+of)\s*5\b
    | \brationale\b
    | ^\s*(?:reference|candidate|question|system|user|assistant)\s*(?::|$)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words about grading, orders to a grader, and headings of the judge's prompt."""

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
