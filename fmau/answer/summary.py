"""The summary of one answering session: what the user reads at its end, and the manifest keeps."""

from dataclasses import dataclass, field
from typing import Any

from fmau.answer.cache_report import CacheReport
from fmau.core.reasons import Reasons
from fmau.core.records import Answer, AnswerStatus
from fmau.recipe import Price
from fmau.runs import FINAL

_FAULTS = {status.value for status in AnswerStatus if status not in FINAL}


@dataclass(slots=True)
class Summary:
    """What one call of `answer_questions` did.

    Attributes:
        total: number of questions in the run.
        done_before: questions that had a final answer from an earlier session.
        statuses: status -> rows written in this session.
        reasons: why rows of this session have no answer.
        refused: requests that the server refused, so that they would be refused again.
        cache_report: the work done per clip, and its ideal.
        prompt_tokens, cached_tokens, completion_tokens: sums over the replies.
        thinking_tokens: the part of `completion_tokens` that the model thought.
        thinking_ran_out: replies whose thinking used up its budget.
        uncounted: replies for which the server reports no tokens.
        dollars: cost of all tokens in US dollars; None without a price.
        seconds: wall time.
        counters: increase of the server's cache counters; empty if it has none.
        least_in_flight: lowest limit of requests in flight after the server refused or timed out;
            None if the limit was never lowered.
        stopped: True if a signal ended the work early; the same call continues it.
    """

    total: int
    done_before: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=Reasons)
    refused: int = 0
    cache_report: CacheReport = field(default_factory=CacheReport)
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    thinking_tokens: int = 0
    thinking_ran_out: int = 0
    uncounted: int = 0
    dollars: float | None = None
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
            lines += [f"  {count:,} {status}", *self.reasons.lines(status, "answers.jsonl")]
        if asked:
            lines.append(
                f"{asked / max(self.seconds, 1e-9):.1f} questions/s in {self.seconds:.0f} s; "
                f"{self.cached_tokens:,} of {self.prompt_tokens:,} prompt tokens from the "
                "server's cache"
            )
        if self.thinking_tokens:
            lines.append(
                f"{self.thinking_tokens:,} of {self.completion_tokens:,} generated tokens are "
                f"thinking; {self.thinking_ran_out:,} replies used up their budget for it"
            )
        if self.dollars is not None:
            lines.append(
                f"{self.prompt_tokens:,} tokens in, {self.completion_tokens:,} out: "
                f"{self.dollars:.4f} US dollars in this session"
            )
            if self.uncounted:
                lines.append(f"without {self.uncounted:,} replies whose tokens were not reported")
        if self.cache_report.clips:
            lines.append(self.cache_report.text())
            lines += [f"warning: {warning}" for warning in self.cache_report.warnings()]
        if self.least_in_flight is not None:
            lines.append(
                "the server could not take all requests at once: their number was lowered to "
                f"{self.least_in_flight}"
            )
        if not self.complete:
            again = "run the same command again to continue"
            failed = self.statuses.get(AnswerStatus.REQUEST_FAILED, 0)
            if self.refused and self.refused == failed and not self.remaining:
                again = "the server would refuse these requests again; see the reasons above"
            lines.append(f"not complete: {again}")
        return "\n".join(lines)

    def facts(self) -> dict[str, Any]:
        """The summary as a JSON-able dict, for the manifest."""
        apart = {"cache_report", "reasons"}
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in apart}
        return plain | {"reuse": self.cache_report.facts()}

    def charge(self, price: Price | None) -> None:
        """Compute `dollars`; None leaves them unknown."""
        if price is not None:
            tokens = (self.prompt_tokens, self.cached_tokens, self.completion_tokens)
            self.dollars = round(price.of(*tokens), 6)

    def count(self, row: Answer) -> None:
        """Add one row."""
        self.statuses[row.status.value] = self.statuses.get(row.status.value, 0) + 1
        self.reasons.count(row.status.value, row.reason)
        self.uncounted += row.reply is not None and row.prompt_tokens is None
        self.prompt_tokens += row.prompt_tokens or 0
        self.cached_tokens += row.cached_tokens or 0
        self.completion_tokens += row.completion_tokens or 0
        self.thinking_tokens += row.thinking_tokens or 0
        self.thinking_ran_out += bool(row.thinking_ran_out)
