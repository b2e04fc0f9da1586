"""Reads the fields of a training caption, from an object or from one text with or without headings.

`fmau.dataset.captions` uses it. The keys of an object are the names of the fields, spelled
"overall_overview", "Overall Overview" or "overall overview". A text with headings has the names at
the start of lines, in any case and order, with or without numbers:

    ## Overall Overview        **Overall Overview:** The head ...
    Overall Overview: The ...  1. overall overview: The head ...

A text without any heading is a plain description, and becomes the field "overall_overview" alone.

Captions come from chats with a model. Layout around a field is removed: its own heading, ruling
lines (---), fences (```), "\\r" at line ends. Words to the reader of the chat ("I hope this helps")
are refused, because the model would learn to write them.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from fmau.core.texts import with_newlines
from fmau.dataset.rows import Row

FIELDS: Final = (
    "overall_overview",
    "timeline_description",
    "key_part_details",
    "judgment_basis",
    "conclusive_summary",
)
"""The names of the fields in the order of a caption: from what is seen to what it means."""

_NAMES = ", ".join(FIELDS)
_NAME = "|".join(field.replace("_", r"[ \t_-]+") for field in FIELDS)
_HEADING = re.compile(
    r"^(?:[ \t]{0,8}[*+][ \t]+)?[#>\d.()\t -]{0,16}"  # bullet, Markdown's mark of headings, number
    rf"(?P<bold>[*_]{{1,3}})?[\d.() ]{{0,8}}(?P<name>{_NAME})"
    # A bold heading ends where the bold ends; any other ends at a colon or at the end of its line.
    r"(?(bold)(?:[ \t]*[:：])?(?P=bold)(?:[ \t]*[:：])?|(?:[ \t]*[:：]|[ \t\r#]*$))",
    re.IGNORECASE | re.MULTILINE,
)
_RULE = re.compile(r"\s*(?:[-*_=]{3,}|`{3,}\w*)?\s*")
_CHATTER = re.compile(
    r"""
      \A\W{0,8} (?: (?:sure|certainly|absolutely|of\ course|okay|ok) [!,.:]
             | here (?:['’]s|\ is|\ are)\b .{0,80} : )
    | \b (?: let\ me\ know | feel\ free\ to | i\ hope\ (?:this|that)\ helps ) \b [^\n]*
    | (?:^|[.!?:)*\]"”]\s) \W{0,8}
      (?: please\ (?:let|feel|note) | (?:i\ )?hope\ (?:this|that|it)
        | if\ you (?:['’]d|\ would|\ have|\ need|\ want) | would\ you\ like | do\ you\ (?:want|need)
        | is\ there\ anything | (?:i['’]m|i\ am)\ (?:happy|glad)\ to | as\ an\ ai ) \b [^\n]*
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
"""What a model says to the person who asked for a caption, at its start or as a sentence."""


_PLACEHOLDER = re.compile(
    r"[\W_]*(?:n/?a|none|null|nil|nan|tbd|todo|fixme|unknown|undefined|not\ available"
    r"|no\ (?:description|caption|text)(?:\ (?:available|given|yet))?)?[\W_]*",
    re.IGNORECASE,
)
"""What stands where a text is still missing: "-", "n/a", "TODO"."""


def read_fields(row: Row) -> Mapping[str, str] | None:
    """The fields of the row's "caption", stripped and read-only; None if there is any problem.

    Every missing, empty, unknown or repeated field, and every placeholder in place of a text, is
    noted as a problem of the row. A plain text gives "overall_overview" alone.
    """
    before = len(row.problems)
    fields: dict[str, str] = {}
    caption = row.values.get("caption")
    if isinstance(caption, str) and caption.strip() and not _HEADING.search(caption):
        words = _tidy(row, FIELDS[0], caption, "the caption")
        return MappingProxyType({FIELDS[0]: words}) if len(row.problems) == before else None
    for name, text in _named_texts(row):
        field = _field_name(name)
        if field not in FIELDS:
            row.refuse(f"unknown caption field {name!r}", f"the fields are {_NAMES}")
        elif field in fields:
            row.refuse(f"the caption has two fields {field}", "keep one of them")
        elif not isinstance(text, str) or not text.strip():
            row.refuse(f"caption field {field} is empty or not a text", "write a text, in quotes")
            fields[field] = ""
        else:
            fields[field] = _tidy(row, field, text)
    if not fields and len(row.problems) > before:
        return None  # there is no caption, which is already noted as a problem
    for field in FIELDS:
        if field not in fields:
            row.refuse(f"caption field {field} is missing", "write all five fields")
    if len(row.problems) > before:
        return None
    return MappingProxyType({field: fields[field] for field in FIELDS})


def _tidy(row: Row, field: str, text: str, called: str | None = None) -> str:
    """The words of a field without the layout around them; what cannot stay is noted as a problem.

    Args:
        text: not empty, perhaps with the field's own heading.
        called: what problems call the text; default: a caption field.
    """
    called = called or f"caption field {field}"
    lines = with_newlines(text).split("\n")
    while lines and _RULE.fullmatch(lines[-1]):
        lines.pop()
    while lines and _RULE.fullmatch(lines[0]):
        lines.pop(0)
    words = "\n".join(lines).strip()
    heading = _HEADING.match(words)
    if heading and _field_name(heading["name"]) == field:
        words = words[heading.end() :].strip()
    if not words:
        row.refuse(f"{called} holds no words", "write a text")
    elif _PLACEHOLDER.fullmatch(words):
        what = f"{called} is {words!r}, a placeholder"
        row.refuse(what, "write what is to be learned; the model would learn to write this")
    if inner := _HEADING.search(words):
        what = f"{called} holds a heading, {inner['name']!r}"
        row.refuse(what, "move the text below it into a field of its own, or remove the heading")
    if chatter := _CHATTER.search(words):
        what = f"{called} speaks to the reader of a chat: {chatter[0].strip()[:60]!r}"
        row.refuse(what, "remove these words; the model would learn to write them")
    return words


def _field_name(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip()).lower()


def _named_texts(row: Row) -> Iterator[tuple[str, Any]]:
    caption = row.values.get("caption")
    if isinstance(caption, dict):
        yield from caption.items()
    elif isinstance(caption, str) and caption.strip():
        yield from _headed_texts(row, caption)
    elif caption is None or isinstance(caption, str):
        row.refuse("'caption' is missing or empty", f"write an object with the fields {_NAMES}")
    else:
        what = f"'caption' is a {type(caption).__name__}"
        row.refuse(what, "write an object, or one text with a heading per field")


def _headed_texts(row: Row, caption: str) -> Iterator[tuple[str, str]]:
    """Yield (heading, text) of every section, in the order of the caption."""
    headings = list(_HEADING.finditer(caption))
    if before := caption[: headings[0].start()].strip():
        what = f"the caption has text before its first heading: {before[:40]!r}"
        row.refuse(what, "move this text into a field, or remove it")
    ends = [heading.start() for heading in headings[1:]] + [len(caption)]
    for heading, end in zip(headings, ends, strict=True):
        yield heading["name"], caption[heading.end() : end]
