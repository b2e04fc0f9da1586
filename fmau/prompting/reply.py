r"""Plain text from a model's reply, before an answer is looked for. `extraction.py` uses it.

Models wrap one and the same answer in many ways: full-width letters, marks of their chat template,
Markdown, LaTeX, HTML, JSON, tags. `marked` takes off what carries no meaning, and takes out
what a reply marks as its answer: `<answer>B</answer>`, `\boxed{B}`, `{"answer": "B"}`.
"""

import re

from fmau.core.texts import CHAT_MARK, normalized

_BOX = re.compile(r"<\|begin_of_box\|>(.*?)(?:<\|end_of_box\|>|$)", re.DOTALL)
_OPENING_TURN = re.compile(
    r"<\|im_start\|>\s*(?:assistant)?|<start_of_turn>\s*(?:model)?"
    r"|<\|start_header_id\|>\s*assistant\s*<\|end_header_id\|>"
)
_END_OF_TURN = re.compile(r"<\|(?:im_end|endoftext|eot_id|end|end_of_text)\|>|</s>|<end_of_turn>")
_FENCE = re.compile(r"^[ \t]*```\w*[ \t]*$", re.MULTILINE)
# Small letters only: <B> may be a letter in brackets.
_HTML = re.compile(r"</?(?:b|i|u|em|strong|code|span|font|center|h[1-6])(?:\s[^<>]*)?/?>")
_HTML_LINE = re.compile(r"</?(?:br|p|div|li|ul|ol)(?:\s[^<>]*)?/?>", re.I)
_LATEX_FONT = re.compile(
    r"\\(?:text(?:bf|it|rm|tt|normal|sf)?|math(?:rm|bf|it|sf|tt)|mbox|rm|bf)\s*\{([^{}]*)\}"
)
_LATEX_SIGN = re.compile(r"\\[()\[\],;!]|\$")
_EMPHASIS = re.compile(r"[*_`\"“”„«»]+|~~")
_CROSS = re.compile("[❌✗✘❎👎🚫]")
_PICTURE = re.compile("[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]")
_LONG_DASH = re.compile(r"\s*[\u2012-\u2015]\s*")
_SIGNS = str.maketrans("。、،؛।؟‐‑−【】「」『』〔〕《》〈〉", ".,,;.?---()()()()()()")

_MARKED = (
    re.compile(r"<(answer|final_answer|final|ans)>(?P<answer>.*?)(?:</\1>|$)", re.I | re.DOTALL),
    re.compile(r"\[(answer|final_answer)\](?P<answer>.*?)\[/\1\]", re.I | re.DOTALL),
    re.compile(r"\\f?boxed\s*\{(?P<answer>[^{}]*)\}"),
    re.compile(
        r"(?P<quote>[\"'])(?:final_?|correct_?)?(?:answer|choice|option|letter)(?P=quote)\s*:\s*"
        r"(?P<mark>[\"'])(?P<answer>[^\"']*)(?P=mark)",
        re.I,
    ),
)


def marked(reply: str) -> tuple[list[str], str]:
    """The contents of all places that a reply marks as its answer, and the text around them.

    Both are in plain letters: without marks of a template, Markdown, LaTeX or HTML. Text behind the
    end of the reply's turn, which some servers send along, is not part of it.

    >>> marked("It nods. <answer>B</answer>")
    (['B'], 'It nods.')
    """
    text = _unwrapped(_own_turn(reply))
    found = []
    for pattern in _MARKED:
        found += [_undressed(match["answer"]).strip() for match in pattern.finditer(text)]
        text = pattern.sub("\n", text)
    return found, _undressed(text).strip()


def _own_turn(reply: str) -> str:
    text = normalized(_BOX.sub(r"<answer>\1</answer>", reply))
    text = _OPENING_TURN.sub("", text)
    turns = (CHAT_MARK.sub(" ", turn) for turn in _END_OF_TURN.split(text))
    return next((turn for turn in turns if turn.strip()), "")


def _unwrapped(text: str) -> str:
    """The text without the fonts of LaTeX, which may stand inside each other."""
    while (inner := _LATEX_FONT.sub(r"\1", text)) != text:
        text = inner
    return text


def _undressed(text: str) -> str:
    text = _FENCE.sub("", _unwrapped(text))
    text = _HTML_LINE.sub("\n", _HTML.sub("", text))
    text = _EMPHASIS.sub("", _LATEX_SIGN.sub("", text))
    text = _PICTURE.sub("", _CROSS.sub(" wrong ", text))
    return _LONG_DASH.sub(" - ", text).translate(_SIGNS)
