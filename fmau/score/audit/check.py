"""The record of one check."""

from collections.abc import Iterable
from typing import Any, Literal

from fmau.core.records import Record

CheckId = Literal[
    "label-code-suffix",
    "duplicate-option",
    "duplicate-question",
    "class-prior",
    "opposite-pair",
    "label-named",
    "blind-classifier",
    "schema",
]


class Check(Record):
    """What one check found.

    Attributes:
        id: of the check.
        rows: how many rows it concerns.
        qids: of those rows, in file order; "row N" for a row without one.
        meaning: what a row found here is, in a sentence.
        facts: further figures, by name; shares in percent.
    """

    id: CheckId
    rows: int
    qids: tuple[str, ...]
    meaning: str
    facts: dict[str, Any]


def check(id: CheckId, qids: Iterable[str], meaning: str, **facts: Any) -> Check:
    """A check from the qids it found; a qid found twice is one row."""
    found = tuple(dict.fromkeys(qids))
    return Check(id=id, rows=len(found), qids=found, meaning=meaning, facts=facts)


def percent(part: float, whole: float) -> float | None:
    """A share in percent, one decimal; None of nothing."""
    return round(100 * part / whole, 1) if whole else None
