"""Counts why things failed, and tells the most frequent reasons."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

SHOWN = 3
"""Number of reasons that are told of each kind."""


@dataclass(slots=True)
class Reasons:
    """Why things failed.

    Attributes:
        counts: (kind, reason) -> number; a kind is a status such as "clip_failed".
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, kind: str, reason: str | None) -> None:
        """Add one failure; nothing is counted without a reason."""
        if reason is not None:
            self.counts[kind, reason] += 1

    def lines(self, kind: str, rows: str) -> Iterator[str]:
        """The most frequent reasons of one kind, one a line.

        Args:
            rows: where all reasons stand, for people: "answers.jsonl".
        """
        found = Counter({why: count for (of, why), count in self.counts.items() if of == kind})
        for why, count in found.most_common(SHOWN):
            yield f"    {count:,} x {why}"
        if len(found) > SHOWN:
            yield f"    and {len(found) - SHOWN:,} other reasons; each row of {rows} has its own"
