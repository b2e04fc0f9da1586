"""The judging engine: makes all judge calls without a final verdict and writes each row at once.

`session.py` uses it for LLM judges.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fmau.core.errors import ServerError
from fmau.core.interrupt import finished, run_async
from fmau.core.records import Verdict, VerdictStatus
from fmau.judge.estimate import cost
from fmau.judge.judges import LlmJudge
from fmau.judge.reply import Judged, read_reply
from fmau.judge.request import Call, build_request, seen
from fmau.judge.rubric import Rubric
from fmau.serve.client import ChatClient, Endpoint, FailureWatch, Reply, RequestError

Append = Callable[[Verdict], None]
Progress = Callable[[int, int], None]
"""Called with (number of calls done, total number of calls)."""


@dataclass(slots=True)
class JudgeSummary:
    """What one session of judging did.

    Attributes:
        total: number of calls that judging needs.
        done_before: calls that had a final verdict from an earlier session.
        statuses: status -> rows written in this session.
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
        self.input_tokens += row.prompt_tokens or 0
        self.cached_tokens += row.cached_tokens or 0
        self.output_tokens += row.completion_tokens or 0
        self.removed += bool(row.removed)

    def facts(self) -> dict[str, Any]:
        """The summary as a JSON-able dict, for the manifest."""
        return asdict(self)

    def text(self) -> str:
        """The result in a few lines, for people."""
        made = sum(self.statuses.values())
        before = f" ({self.done_before:,} from before)" if self.done_before else ""
        lines = [f"{self.done_before + made:,} of {self.total:,} calls have a verdict{before}"]
        lines += [f"  {count:,} {status}" for status, count in sorted(self.statuses.items())]
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
        if not self.complete:
            lines.append("not complete: run the same command again to continue")
        return "\n".join(lines)


def is_final(row: Verdict) -> bool:
    """Whether a verdict is kept. Only a failed request is not final; it is made again."""
    return row.status is not VerdictStatus.REQUEST_FAILED


def remaining(calls: Sequence[Call], done: Mapping[str, Verdict]) -> list[Call]:
    """The calls without a final verdict.

    Args:
        done: fingerprint -> verdict.
    """
    return [c for c in calls if c.fingerprint not in done or not is_final(done[c.fingerprint])]


def judge_calls(
    calls: Sequence[Call],
    judge: LlmJudge,
    rubric: Rubric,
    endpoint: Endpoint,
    *,
    done: Mapping[str, Verdict],
    append: Append,
    progress: Progress = lambda _done, _total: None,
) -> JudgeSummary:
    """Make every call that has no final verdict, and pass each new verdict to `append`.

    SIGINT and SIGTERM end the work cleanly; then `stopped` is set in the summary.

    Args:
        endpoint: the server of the judge's model.
        done: fingerprint -> verdict from earlier sessions.
        append: writes one row.

    Raises:
        ServerError: the server cannot be reached, stopped for good, serves another model, or
            refuses every request.
        RunError: the rows cannot be written.
    """
    todo = remaining(calls, done)
    summary = JudgeSummary(len(calls), len(calls) - len(todo))
    if not todo:
        return summary
    started = time.monotonic()
    engine = _Engine(judge, rubric, summary, append, progress)
    try:
        run_async(engine.work(todo, endpoint))
    finally:
        summary.seconds = round(time.monotonic() - started, 3)
        if judge.price:
            tokens = (summary.input_tokens, summary.cached_tokens, summary.output_tokens)
            summary.dollars = round(cost(judge.price, *tokens), 6)
    return summary


@dataclass(slots=True)
class _Engine:
    """The state of one call of `judge_calls`."""

    judge: LlmJudge
    rubric: Rubric
    summary: JudgeSummary
    append: Append
    progress: Progress
    client: ChatClient = field(init=False)
    watch: FailureWatch = field(init=False)

    async def work(self, calls: list[Call], endpoint: Endpoint) -> None:
        knobs = self.judge
        self.client = ChatClient(
            endpoint.base_url,
            api_key=endpoint.api_key,
            timeout_s=knobs.request_timeout_s,
            retries=knobs.retries,
        )
        self.watch = FailureWatch(self.client)
        async with self.client:
            self.summary.stopped = not await finished(self._judge_all(calls))

    async def _judge_all(self, calls: list[Call]) -> None:
        if self.judge.served is not None:  # a remote API may not offer its model list
            await self._check_model()
        waiting = iter(calls)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(self.judge.concurrency, len(calls))):
                tasks.create_task(self._judge_from(waiting))

    async def _check_model(self) -> None:
        served = [model.name for model in await self.client.models()]
        if self.judge.model not in served:
            raise ServerError(
                f"{self.client.base_url} serves {', '.join(served) or 'nothing'}, but the judge is "
                f"{self.judge.model}; stop that server, or give the judge another port"
            )

    async def _judge_from(self, waiting: Iterator[Call]) -> None:
        for call in waiting:  # all workers share this iterator, so each call is made once
            await self._judge_one(call)

    async def _judge_one(self, call: Call) -> None:
        started = time.monotonic()
        try:
            request = build_request(call, self.judge, self.rubric)
            reply = await self.client.ask(self.judge.model, request)
        except RequestError as error:
            await self.watch.check(error)
            failure = Judged(VerdictStatus.REQUEST_FAILED, reason=str(error))
            self._record(call, failure, None, None)
            self.watch.failed(f"{call.item.qid}, levels {call.levels}", error)
            return
        self.watch.replied()
        seconds = round(time.monotonic() - started, 3)
        self._record(call, read_reply(reply, call.levels), reply, seconds)

    def _record(
        self, call: Call, judged: Judged, reply: Reply | None, seconds: float | None
    ) -> None:
        scored = judged.status is VerdictStatus.SCORED
        row = Verdict(
            qid=call.item.qid,
            clip=call.item.clip,
            task=call.item.task,
            judge=self.judge.name,
            fingerprint=call.fingerprint,
            levels=call.levels,
            sample=call.sample,
            status=judged.status,
            scores=judged.scores,
            rationale=judged.rationale,
            removed=seen(call.item).removed,
            reply=None if scored or reply is None else reply.text,
            reason=judged.reason,
            prompt_tokens=reply.prompt_tokens if reply else None,
            cached_tokens=reply.cached_tokens if reply else None,
            completion_tokens=reply.completion_tokens if reply else None,
            seconds=seconds,
        )
        self.append(row)
        self.summary.count(row)
        made = sum(self.summary.statuses.values())
        self.progress(self.summary.done_before + made, self.summary.total)
