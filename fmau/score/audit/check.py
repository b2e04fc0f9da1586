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
        id: name of the check.
        rows: number of rows that it found.
        qids: of those rows, each once, in the order in which they were found; "row N" for a row
            without a qid.
        meaning: what is wrong with these rows, in one sentence.
        facts: name -> further figure. Names end in "percent" where the figure is in percent.
    """

    id: CheckId
    rows: int
    qids: tuple[str, ...]
    meaning: str
    facts: dict[str, Any]


def check(id: CheckId, qids: Iterable[str], meaning: str, **facts: Any) -> Check:
    """A check with these qids; a qid that was found twice counts once."""
    found = tuple(dict.fromkeys(qids))
    return Check(id=id, rows=len(found), qids=found, meaning=meaning, facts=facts)


def percent(part: float, whole: float) -> float | None:
    """A share in percent, with one decimal; None if the whole is 0."""
    return round(100 * part / whole, 1) if whole else None
