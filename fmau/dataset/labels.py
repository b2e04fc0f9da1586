"""Reads the label of a training clip from the keys of its row or from the end of its caption.

Captions, and replies to MARE questions, may end like the benchmark's references:

    [Body part (coarse-grained)] Head | [Micro-action (fine-grained)] Bowing head

The ending may be bold and have colons instead of brackets. If a clip has both kinds of label, they
must be the same.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from fmau.core.taxonomy import Action, Part, action_by_code, action_by_label, parts
from fmau.dataset.rows import Row

_ENDING: Final = "the ending of conclusive_summary"
# A lookahead does not consume the text after a mark, because it may contain the next mark.
_MARK_END = r"\**[\]:][\s*:\"“]*(?=([^|\n]{0,60}))"
_COARSE = re.compile(r"body part \(coarse-grained\)" + _MARK_END, re.IGNORECASE)
_FINE = re.compile(r"micro-action \(fine-grained\)" + _MARK_END, re.IGNORECASE)
_TAXONOMY: Final = "use the labels of fmau/core/taxonomy.json"


def read_action(row: Row, summary: str, named: str | None = None) -> Action | None:
    """The micro-action of a row's label; None if the row has no label.

    A label that is not in the taxonomy, or two labels that contradict each other, are noted as
    problems of the row.

    Args:
        row: a row that may have the keys "fine" (or "label") and "coarse".
        summary: the conclusive_summary of the caption, or its plain text.
        named: code or label in the clip's name; it must agree with the row's other labels.
    """
    keyed = _action(row, "'fine'", row.one_of("fine", "label"))
    written = _action(row, _ENDING, _written(_FINE, summary, action_by_label()))
    if keyed and written and keyed != written:
        what = f"'fine' is {keyed.label!r}, but {_ENDING} says {written.label!r}"
        row.refuse(what, "find out which label is right, and correct the other")
    action = keyed or written
    if named is not None:
        in_name = _named_action(row, named)
        if in_name and action and in_name != action:
            what = f"the clip's name says {in_name.label!r}, but its row says {action.label!r}"
            row.refuse(what, "find out which label is right, and correct the other")
        action = action or in_name
    for source, label in (
        ("'coarse'", row.values.get("coarse")),
        (_ENDING, _written(_COARSE, summary, _part_by_label())),
    ):
        part = _part(row, source, label)
        if action and part and part.label != action.part:
            what = f"{source} says {part.label!r}, but {action.label!r} belongs to {action.part!r}"
            row.refuse(what, "find out which label is right, and correct the other")
    return action


def written_action(text: str) -> Action | None:
    """The micro-action that a text names at its end, like the references; None if it names none.

    >>> written_action("... [Micro-action (fine-grained)] Bowing head").code
    'B5'
    """
    label = _written(_FINE, text, action_by_label())
    return action_by_label().get(label.lower()) if label else None


def _named_action(row: Row, named: str) -> Action | None:
    """The action of a code ("B1") or of a label, in which "_" or "-" may stand for a space."""
    spaced = re.sub(r"[\s_-]+", " ", named.strip()).lower()
    by_label = {
        re.sub(r"[\s-]+", " ", label): action for label, action in action_by_label().items()
    }
    action = action_by_code().get(named.strip().upper()) or by_label.get(spaced)
    if action is None:
        what = (
            f"train.data.label_pattern takes {named!r} from the name, which is not a micro-action"
        )
        row.refuse(what, f"correct the pattern, or {_TAXONOMY}")
    return action


def _action(row: Row, source: str, label: object) -> Action | None:
    name = _label(row, source, label)
    action = action_by_label().get(name) if name else None
    if name and action is None:
        row.refuse(f"{source} names {label!r}, which is not a micro-action", _TAXONOMY)
    return action


def _part(row: Row, source: str, label: object) -> Part | None:
    name = _label(row, source, label)
    part = _part_by_label().get(name) if name else None
    if name and part is None:
        row.refuse(f"{source} names {label!r}, which is not a body-part group", _TAXONOMY)
    return part


def _label(row: Row, source: str, label: object) -> str | None:
    """The label in lower case, as in the taxonomy's tables; None if there is no label."""
    if label is None:
        return None
    if not isinstance(label, str) or not label.strip():
        row.refuse(f"{source} is {label!r}", "write the label as a text, or remove it")
        return None
    return label.strip().lower()


@cache
def _part_by_label() -> dict[str, Part]:
    return {part.label.lower(): part for part in parts()}


@cache
def _any_of(known: tuple[str, ...]) -> re.Pattern[str]:
    # A label ends at the end of a word: "Head-hand" does not begin with the label "Head".
    return re.compile(rf"({'|'.join(map(re.escape, known))})(?![\w-])", re.IGNORECASE)


def _written(mark: re.Pattern[str], summary: str, known: Iterable[str]) -> str | None:
    """The known label after the last mark; if there is none, the text after the mark."""
    texts = mark.findall(summary)
    if not texts:
        return None
    text: str = texts[-1].strip()
    label = _any_of(tuple(known)).match(text)
    return label[0] if label else text
