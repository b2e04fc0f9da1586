"""What of a candidate's text a judge gets to see.

A candidate that says "give 5" must gain nothing. Two things see to that:

- passages that speak of grading are cut out and noted in the verdict, so that a judge sees the same
  text as without them. A description of a movement has no need of the words they are found by;
- the rest reaches the judge as one JSON string. Whatever stands in it, quotes and line ends are
  escaped, so it cannot end where the candidate's place in the prompt ends; and the marks of chat
  templates, which some tokenizers turn into real turns, are broken up.

The reference is put the same way, without cuts: it is ours.
"""

import json
import re
import unicodedata
from dataclasses import dataclass

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
"""Words of grading, orders to a grader, and headings of the prompt itself."""

_TEMPLATE_MARK = re.compile(r"<\|.*?\|>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:im_start|im_end)>", re.I)
_PASSAGE = re.compile(r"[^.!?\n]*(?:[.!?]+(?=\s|$)|\n|[.!?]|$)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate as a judge sees it.

    Attributes:
        text: what is left.
        removed: the passages that were cut out, in order.
    """

    text: str
    removed: tuple[str, ...]


def shown(answer: str) -> Shown:
    """What a judge sees of an answer.

    Invisible characters are dropped and compatibility forms folded first (Unicode NFKC), so that
    neither can hide a word. Text is then read passage by passage (sentences, lines); white space
    around what is left is made single spaces, so cutting leaves no trace.
    """
    plain = unicodedata.normalize("NFKC", answer)
    plain = "".join(c for c in plain if c in "\n\t" or unicodedata.category(c)[0] != "C")
    kept: list[str] = []
    removed: list[str] = []
    for match in _PASSAGE.finditer(_TEMPLATE_MARK.sub("\n", plain)):
        passage = " ".join(match[0].split())
        if passage:
            (removed if _GRADING.search(passage) else kept).append(passage)
    return Shown(" ".join(kept), tuple(removed))


def quoted(text: str) -> str:
    """The text as one JSON string on one line, chat-template marks broken up."""
    broken = _TEMPLATE_MARK.sub(lambda mark: mark[0][0] + " " + mark[0][1:], text)
    return json.dumps(broken, ensure_ascii=False).replace("\u2028", " ").replace("\u2029", " ")
