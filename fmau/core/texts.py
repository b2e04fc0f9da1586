"""Control tokens and halves of characters: what a text for a model must not contain.

A control token, such as `<|im_end|>` or `<|video_pad|>`, is written in letters, but a tokenizer
reads it as one token that ends a turn or stands for a picture. Half a character (a lone surrogate)
is what `"\\ud83d"` in a JSON file becomes without its second half; no file in UTF-8 can hold it.

All readers follow one rule. A text that a model learns from, or that instructs it (captions,
dialogues, prompt sets, rubrics), is refused if it contains one of them. A question is asked all the
same, because its file is often not the user's to change: a control token in it is broken up, so
that it is read as letters (`<|im_end|>` becomes `< |im_end|>`), and half a character becomes the
replacement character.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

CHAT_MARK = re.compile(
    r"<\|[^<>\n]{0,64}?\|>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:im_start|im_end)>|<(?:start|end)_of_turn>"
    r"|<(?:bos|eos|pad)>",
    re.IGNORECASE,
)
"""Marks of chat templates, also those that are no token of the model at hand."""

_CONTROL = re.compile(r"<\|[^\s<>|]+\|>")
_LINE_END = re.compile(r"\r\n?")
_HALF = re.compile(r"[\ud800-\udfff]")


def text_fault(text: str) -> tuple[str, str] | None:
    """Check a text that a model learns or is instructed by: (problem, remedy), or None if good.

    >>> text_fault("The head nods.<|im_end|>")
    ("the text holds the control token '<|im_end|>'", 'remove it, or write it in other letters')
    """
    if control := _CONTROL.search(text):
        what = f"the text holds the control token {control[0]!r}"
        return what, "remove it, or write it in other letters"
    return half_fault(text)


def half_fault(text: str) -> tuple[str, str] | None:
    """Check that a text can be written in UTF-8: (problem, remedy), or None if it can."""
    half = _HALF.search(text)
    if half is None:
        return None
    near = text[max(0, half.start() - 10) : half.end() + 10]
    return f"the text holds half a character, {near!r}", "write the whole character"


def whole(text: str) -> str:
    """The text with the replacement character in place of every half of a character."""
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text)


def as_letters(text: str) -> str:
    """The text with its control tokens broken up, so that a tokenizer reads them as letters.

    >>> as_letters("What does <|im_end|> mean?")
    'What does < |im_end|> mean?'
    """
    return _CONTROL.sub(lambda token: f"< {token[0][1:]}", whole(text))


def normalized(text: str) -> str:
    r"""The text in Unicode's NFKC form, without invisible characters, with line ends "\n".

    So a letter of full width is that letter, and nothing invisible divides a word.

    >>> normalized("\uff22\u200b.")
    'B.'
    """
    plain = unicodedata.normalize("NFKC", with_newlines(text)).replace("\u2028", "\n")
    return "".join(c for c in plain if c in "\n\t" or unicodedata.category(c)[0] != "C")


def with_newlines(text: str) -> str:
    r"""The text with the line end "\n" in place of "\r\n" and "\r".

    >>> with_newlines("up\r\ndown")
    'up\ndown'
    """
    return _LINE_END.sub("\n", text)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value, keys too."""
    left = [value]
    while left:  # not a recursion, because a value may be nested as deeply as Python can recurse
        inner = left.pop()
        if isinstance(inner, str):
            yield inner
        elif isinstance(inner, dict):
            left += [*inner, *inner.values()]
        elif isinstance(inner, list):
            left += inner
