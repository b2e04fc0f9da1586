"""The label of a training clip: from the row's keys, from the end of its caption, or none.

Captions may end in the words of the benchmark's references,

    [Body part (coarse-grained)] Head | [Micro-action (fine-grained)] Bowing head

also in bold and with colons in place of brackets. A label given twice must be the same label.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from fmau.core.taxonomy import Action, Part, action_by_label, parts
from fmau.dataset.rows import Row

_ENDING: Final = "the ending of conclusive_summary"
# The text after a mark is looked at, not consumed: it may hold the next mark.
_MARK_END = r"\**[\]:][\s*:\"“]*(?=([^|\n]{0,60}))"
_COARSE = re.compile(r"body part \(coarse-grained\)" + _MARK_END, re.IGNORECASE)
_FINE = re.compile(r"micro-action \(fine-grained\)" + _MARK_END, re.IGNORECASE)
_TAXONOMY: Final = "use the labels of fmau/core/taxonomy.json"


def read_action(row: Row, summary: str) -> Action | None:
    """The micro-action that a row is labelled with; None if it has no label.

    A label that the taxonomy lacks, or two labels that contradict each other, are noted as problems
    of the row.

    Args:
        row: may have the keys "fine" and "coarse".
        summary: the caption's conclusive_summary.
    """
    keyed = _action(row, "'fine'", row.values.get("fine"))
    written = _action(row, _ENDING, _written(_FINE, summary, action_by_label()))
    if keyed and written and keyed != written:
        what = f"'fine' is {keyed.label!r}, but {_ENDING} says {written.label!r}"
        row.refuse(what, "find out which one is right")
    action = keyed or written
    for source, label in (
        ("'coarse'", row.values.get("coarse")),
        (_ENDING, _written(_COARSE, summary, _part_by_label())),
    ):
        part = _part(row, source, label)
        if action and part and part.label != action.part:
            what = f"{source} says {part.label!r}, but {action.label!r} belongs to {action.part!r}"
            row.refuse(what, "find out which one is right")
    return action


def written_action(text: str) -> Action | None:
    """The micro-action that the end of a text names in the words of the references, None if none.

    >>> written_action("... [Micro-action (fine-grained)] Bowing head").code
    'B5'
    """
    label = _written(_FINE, text, action_by_label())
    return action_by_label().get(label.lower()) if label else None


def _action(row: Row, source: str, label: object) -> Action | None:
    name = _label(row, source, label)
    action = action_by_label().get(name) if name else None
    if name and action is None:
        row.refuse(f"{source} names {label!r}, which is no micro-action", _TAXONOMY)
    return action


def _part(row: Row, source: str, label: object) -> Part | None:
    name = _label(row, source, label)
    part = _part_by_label().get(name) if name else None
    if name and part is None:
        row.refuse(f"{source} names {label!r}, which is no body-part group", _TAXONOMY)
    return part


def _label(row: Row, source: str, label: object) -> str | None:
    """The label as the taxonomy's tables have it, lower-cased; None if there is none."""
    if label is None:
        return None
    if not isinstance(label, str) or not label.strip():
        row.refuse(f"{source} is {label!r}", "write the label, or leave it out")
        return None
    return label.strip().lower()


@cache
def _part_by_label() -> dict[str, Part]:
    return {part.label.lower(): part for part in parts()}


@cache
def _any_of(known: tuple[str, ...]) -> re.Pattern[str]:
    # A label ends where its word does: "Head-hand" doesn't start with "Head".
    return re.compile(rf"({'|'.join(map(re.escape, known))})(?![\w-])", re.IGNORECASE)


def _written(mark: re.Pattern[str], summary: str, known: Iterable[str]) -> str | None:
    """The label after the last mark; the text there, if it starts with no known label."""
    texts = mark.findall(summary)
    if not texts:
        return None
    text: str = texts[-1].strip()
    label = _any_of(tuple(known)).match(text)
    return label[0] if label else text
