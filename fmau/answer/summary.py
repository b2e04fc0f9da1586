"""The summary of one answering session: what the user reads at its end, and the manifest keeps."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fmau.answer.cache_report import CacheReport
from fmau.core.records import Answer, AnswerStatus
from fmau.runs import FINAL

_FAULTS = {status.value for status in AnswerStatus if status not in FINAL}
_REASONS_SHOWN = 3


@dataclass(slots=True)
class Summary:
    """What one call of `answer_questions` did.

    Attributes:
        total: number of questions in the run.
        done_before: questions that had a final answer from an earlier session.
        statuses: status -> rows written in this session.
        reasons: (status, reason) -> rows of this session that ask to be tried again.
        cache_report: the work done per clip, and its ideal.
        prompt_tokens, cached_tokens, completion_tokens: sums over the replies.
        seconds: wall time.
        counters: increase of the server's cache counters; empty if it has none.
        least_in_flight: lowest limit of requests in flight after the server refused or timed out;
            None if the limit was never lowered.
        stopped: True if a signal ended the work early; the same call continues it.
    """

    total: int
    done_before: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    cache_report: CacheReport = field(default_factory=CacheReport)
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    counters: dict[str, float] = field(default_factory=dict)
    least_in_flight: int | None = None
    stopped: bool = False

    @property
    def remaining(self) -> int:
        """Questions with neither a row from this session nor a final row from before."""
        return self.total - self.done_before - sum(self.statuses.values())

    @property
    def complete(self) -> bool:
        """Whether every question has a final row; a reply that could not be parsed is final too."""
        return not (self.remaining or self.statuses.keys() & _FAULTS)

    def text(self) -> str:
        """The result in a few lines, for people."""
        asked = sum(self.statuses.values())
        lines = [
            f"{self.done_before + asked:,} of {self.total:,} questions have a row"
            + (f" ({self.done_before:,} from before)" if self.done_before else "")
        ]
        for status, count in sorted(self.statuses.items()):
            lines += [f"  {count:,} {status}", *self._why(status)]
        if asked:
            lines.append(
                f"{asked / max(self.seconds, 1e-9):.1f} questions/s in {self.seconds:.0f} s; "
                f"{self.cached_tokens:,} of {self.prompt_tokens:,} prompt tokens from the "
                "server's cache"
            )
        if self.cache_report.clips:
            lines.append(self.cache_report.text())
            lines += [f"warning: {warning}" for warning in self.cache_report.warnings()]
        if self.least_in_flight is not None:
            lines.append(
                "the server could not take all requests at once: their number was lowered to "
                f"{self.least_in_flight}"
            )
        if not self.complete:
            lines.append("not complete: run the same command again to continue")
        return "\n".join(lines)

    def _why(self, status: str) -> Iterator[str]:
        """The most frequent reasons of a status, one a line."""
        counted = Counter({why: count for (of, why), count in self.reasons.items() if of == status})
        for why, count in counted.most_common(_REASONS_SHOWN):
            yield f"    {count:,} x {why}"
        left = len(counted) - _REASONS_SHOWN
        if left > 0:
            yield f"    and {left:,} other reasons; each row of answers.jsonl has its own"

    def facts(self) -> dict[str, Any]:
        """The summary as a JSON-able dict, for the manifest."""
        apart = {"cache_report", "reasons"}
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in apart}
        return plain | {"reuse": self.cache_report.facts()}

    def count(self, row: Answer) -> None:
        """Add one row."""
        self.statuses[row.status.value] = self.statuses.get(row.status.value, 0) + 1
        if row.status.value in _FAULTS and row.reason is not None:
            self.reasons[row.status.value, row.reason] += 1
        self.prompt_tokens += row.prompt_tokens or 0
        self.cached_tokens += row.cached_tokens or 0
        self.completion_tokens += row.completion_tokens or 0
