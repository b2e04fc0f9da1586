"""The summary of one session of judging: what the user reads at its end, and the manifest keeps."""

from dataclasses import asdict, dataclass, field
from typing import Any

from fmau.core.reasons import Reasons
from fmau.core.records import Verdict, VerdictStatus


@dataclass(slots=True)
class JudgeSummary:
    """What one session of judging did.

    Attributes:
        total: number of calls that judging needs.
        done_before: calls that had a final verdict from an earlier session.
        statuses: status -> rows written in this session.
        reasons: why calls of this session gave no score.
        refused: calls that the server refused, so that they would be refused again.
        without_reference: open answers that cannot be judged, because their questions have no
            reference.
        without_rule: open answers that the embedded judge leaves out, because they are to tasks of
            one's own; it has rules for MADU and MARE alone.
        input_tokens, cached_tokens, output_tokens: sums of the server's counts over the replies.
        dollars: their cost in US dollars; None without a price.
        removed: calls about answers with removed passages.
        stale: rows of the run that are not judged, because they do not answer the questions as they
            are now.
        seconds: wall time.
        stopped: True if a signal ended the work early.
    """

    total: int
    done_before: int
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=Reasons)
    refused: int = 0
    without_reference: int = 0
    without_rule: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    dollars: float | None = None
    removed: int = 0
    stale: int = 0
    seconds: float = 0.0
    stopped: bool = False

    @property
    def complete(self) -> bool:
        """Whether every call has a final verdict; it need not have scores."""
        made = sum(self.statuses.values())
        failed = self.statuses.get(VerdictStatus.REQUEST_FAILED, 0)
        return self.done_before + made - failed == self.total

    def count(self, row: Verdict) -> None:
        """Add one row."""
        self.statuses[row.status.value] = self.statuses.get(row.status.value, 0) + 1
        if row.status is not VerdictStatus.SCORED:
            self.reasons.count(row.status.value, row.reason)
        self.input_tokens += row.prompt_tokens or 0
        self.cached_tokens += row.cached_tokens or 0
        self.output_tokens += row.completion_tokens or 0
        self.removed += bool(row.removed)

    def facts(self) -> dict[str, Any]:
        """The summary as a JSON-able dict, for the manifest."""
        return {name: value for name, value in asdict(self).items() if name != "reasons"}

    def text(self) -> str:
        """The result in a few lines, for people."""
        made = sum(self.statuses.values())
        before = f" ({self.done_before:,} from before)" if self.done_before else ""
        lines = [f"{self.done_before + made:,} of {self.total:,} calls have a verdict{before}"]
        for status, count in sorted(self.statuses.items()):
            lines += [f"  {count:,} {status}", *self.reasons.lines(status, "verdicts.jsonl")]
        if self.input_tokens:
            lines.append(
                f"{made / max(self.seconds, 1e-9):.1f} calls/s in {self.seconds:.0f} s; tokens: "
                f"{self.input_tokens:,} in ({self.cached_tokens:,} from the server's cache), "
                f"{self.output_tokens:,} out"
                + (f"; {self.dollars:.2f} US dollars" if self.dollars is not None else "")
            )
        if self.removed:
            lines.append(f"{self.removed:,} calls without passages that address the judge")
        if self.stale:
            lines.append(
                f"stale rows, not judged: {self.stale:,}, given to an earlier form of their "
                "questions; fmau answer asks them again"
            )
        if self.without_reference:
            lines.append(
                f"{self.without_reference:,} open answers are not judged, because their questions "
                "have no reference"
            )
        if self.without_rule:
            lines.append(
                f"{self.without_rule:,} open answers are not judged, because the embedded judge "
                "has rules for MADU and MARE alone; an LLM can judge them (--judge)"
            )
        if not self.complete:
            lines.append(self._what_to_do())
        return "\n".join(lines)

    def _what_to_do(self) -> str:
        failed = self.statuses.get(VerdictStatus.REQUEST_FAILED, 0)
        if self.refused and self.refused == failed and not self.stopped:
            return (
                f"not complete: the server refused {self.refused:,} calls and would refuse them "
                "again; change the judge's file by the reasons above (a field that is null is left "
                "out of the request)"
            )
        return "not complete: run the same command again to continue"
