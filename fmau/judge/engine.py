"""The judging engine: makes all judge calls without a final verdict and writes each row at once.

`session.py` uses it for LLM judges.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fmau.core.errors import ServerError
from fmau.core.interrupt import finished, run_async
from fmau.core.records import Verdict, VerdictStatus
from fmau.judge.judges import LlmJudge
from fmau.judge.reply import Judged, read_reply
from fmau.judge.request import Call, build_request, seen
from fmau.judge.rubric import Rubric
from fmau.judge.summary import JudgeSummary
from fmau.serve.client import ChatClient, Endpoint, FailureWatch, Reply, RequestError

ENOUGH_REPLIES = 24
"""If so many replies hold no scores, and none has held any, the judge is set up wrong."""

NO_REPLY = {VerdictStatus.REQUEST_FAILED.value}

Append = Callable[[Verdict], None]
Progress = Callable[[int, int], None]
"""Called with (number of calls done, total number of calls)."""


def is_final(row: Verdict) -> bool:
    """Whether a verdict is kept. Only a failed request is not final; it is made again."""
    return row.status is not VerdictStatus.REQUEST_FAILED


def remaining(
    calls: Sequence[Call], done: Mapping[str, Verdict], *, unscored: bool = False
) -> list[Call]:
    """The calls without a final verdict.

    Args:
        done: fingerprint -> verdict.
        unscored: make calls again whose verdict is final but has no scores.
    """

    def is_left(call: Call) -> bool:
        row = done.get(call.fingerprint)
        return row is None or not is_final(row) or (unscored and row.scores is None)

    return [call for call in calls if is_left(call)]


def judge_calls(
    calls: Sequence[Call],
    judge: LlmJudge,
    rubric: Rubric,
    endpoint: Endpoint,
    *,
    done: Mapping[str, Verdict],
    append: Append,
    progress: Progress = lambda _done, _total: None,
    unscored: bool = False,
) -> JudgeSummary:
    """Make every call that has no final verdict, and pass each new verdict to `append`.

    SIGINT and SIGTERM end the work cleanly; then `stopped` is set in the summary.

    Args:
        endpoint: the server of the judge's model.
        done: fingerprint -> verdict from earlier sessions.
        append: writes one row.
        unscored: make calls again whose verdict has no scores.

    Raises:
        ServerError: the server cannot be reached, stopped for good, serves another model, refuses
            every request, or gives no reply that holds scores.
        RunError: the rows cannot be written.
    """
    todo = remaining(calls, done, unscored=unscored)
    summary = JudgeSummary(len(calls), len(calls) - len(todo))
    if not todo:
        return summary
    started = time.monotonic()
    has_scored = any(call.fingerprint in done and done[call.fingerprint].scores for call in calls)
    engine = _Engine(judge, rubric, summary, append, progress, has_scored)
    try:
        run_async(engine.work(todo, endpoint))
        engine.check_scores(least=1)
    finally:
        summary.seconds = round(time.monotonic() - started, 3)
        if judge.price:
            tokens = (summary.input_tokens, summary.cached_tokens, summary.output_tokens)
            summary.dollars = round(judge.price.of(*tokens), 6)
    return summary


@dataclass(slots=True)
class _Engine:
    """The state of one call of `judge_calls`."""

    judge: LlmJudge
    rubric: Rubric
    summary: JudgeSummary
    append: Append
    progress: Progress
    has_scored: bool
    client: ChatClient = field(init=False)
    watch: FailureWatch = field(init=False)

    async def work(self, calls: list[Call], endpoint: Endpoint) -> None:
        knobs = self.judge
        self.client = ChatClient(
            endpoint.base_url,
            api_key=endpoint.api_key,
            key_header=endpoint.key_header,
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
            self.summary.refused += not error.may_pass
            self._record(call, failure, None, None)
            self.watch.failed(f"{call.item.qid}, levels {call.levels}", error)
            return
        self.watch.replied()
        seconds = round(time.monotonic() - started, 3)
        self._record(call, read_reply(reply, call.levels), reply, seconds)
        self.check_scores(least=ENOUGH_REPLIES)

    def check_scores(self, *, least: int) -> None:
        """Check that some reply has held scores.

        Args:
            least: number of replies without scores from which on this is an error.

        Raises:
            ServerError: no reply has.
        """
        counts = {name: n for name, n in self.summary.statuses.items() if name not in NO_REPLY}
        if self.has_scored or sum(counts.values()) < least:
            return
        reasons = self.summary.reasons.counts
        (status, why), _ = max(
            (item for item in reasons.items() if item[0][0] in counts), key=lambda item: item[1]
        )
        raise ServerError(
            f"the judge {self.judge.name}: none of {sum(counts.values()):,} replies holds scores, "
            f"for example ({status}): {why}; check the judge's model, rubric and fields, then make "
            "the calls again with --retry-unscored"
        )

    def _record(
        self, call: Call, judged: Judged, reply: Reply | None, seconds: float | None
    ) -> None:
        scored = judged.status is VerdictStatus.SCORED
        row = Verdict(
            qid=call.item.qid,
            clip=call.item.clip,
            task=str(call.item.task),
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
        self.has_scored |= scored
        self.summary.count(row)
        made = sum(self.summary.statuses.values())
        self.progress(self.summary.done_before + made, self.summary.total)
