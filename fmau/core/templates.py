"""Fill placeholders of texts that users write: `{question}`. `{{` and `}}` stand for braces.

Texts are put in place of names, and nothing else: `str.format` would also read attributes
(`{question.__class__}`) and formats (`{question:>3000000000}`).
"""

import re

_PIECE = re.compile(r"\{\{|\}\}|\{(\w+)\}|[{}]")


def placeholders(template: str) -> list[str]:
    """The names of the placeholders in a template, in order.

    Raises:
        ValueError: a brace belongs to no placeholder.
    """
    names = []
    for piece in _PIECE.finditer(template):
        if piece[0] in "{}":
            near = template[piece.start() : piece.start() + 20].partition("\n")[0]
            raise ValueError(f"{near!r} begins with a brace that belongs to no placeholder")
        names += [piece[1]] if piece[1] else []
    return names


def fill(template: str, **texts: str) -> str:
    """The template with a text in place of each placeholder; `placeholders` has checked it.

    >>> fill("{{{question}}}", question="Why {not}?")
    '{Why {not}?}'
    """
    return _PIECE.sub(lambda piece: texts[piece[1]] if piece[1] else piece[0][0], template)
