"""The answering engine: asks the questions of a run clip by clip and writes each row at once.

`fmau answer` uses it directly, and each actor of a Ray cluster uses it too. Every stage of the data
flow is bounded, so memory does not grow with the number of questions:

    clips --> decode ahead (threads) --> queue --> `clips_in_flight` workers --> server
                                                        |
                                                        +--> answers.jsonl

Decoding runs in threads, not processes: PyAV and the JPEG encoder release the GIL while
they work, frames need no pickling, and a killed client leaves no orphan processes.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

from fmau.answer.api import Api
from fmau.answer.cache_report import CacheReport, EncoderLog
from fmau.answer.order import ClipQuestions, by_clip
from fmau.answer.pending import Pending, Sink, pending_clips
from fmau.answer.progress import AnswerProgress
from fmau.answer.request import ClipParts, answer_row, read_parts
from fmau.answer.server import all_metrics, counted, keep_queue_short
from fmau.answer.summary import Summary
from fmau.answer.thinking import family_asked
from fmau.answer.vllm import Vllm
from fmau.core.errors import ClipError
from fmau.core.hardware import usable_cores
from fmau.core.interrupt import finished, run_async
from fmau.core.records import Answer, AnswerStatus, Question, RowMark
from fmau.core.taxonomy import QUESTIONS_PER_CLIP
from fmau.families.family import Family
from fmau.frames.reader import ClipReader
from fmau.prompting.prompts import PromptSet
from fmau.recipe import Recipe
from fmau.serve.client import ChatClient, Endpoint, FailureWatch, Reply, RequestError


def answer_questions(
    run: Sink,
    recipe: Recipe,
    prompts: PromptSet,
    questions: Sequence[Question],
    endpoint: Endpoint,
    *,
    progress: bool = True,
    reader: ClipReader | None = None,
) -> Summary:
    """Ask the server every question that has no final answer yet, and append each row to `run`.

    If a clip cannot be read, or a request fails after all retries, the row says so, and the next
    call asks the question again. SIGINT and SIGTERM end the work cleanly within two seconds.

    Args:
        run: receives the rows. If it was opened with an adapter, the server must serve this
            adapter on the recipe's model.
        progress: draw a progress bar on stderr.
        reader: reads the frames of clips; default: a reader with the recipe's settings.

    Raises:
        ServerError: the server cannot be reached, stopped for good, serves another model, ignores
            the constraint on closed answers, or refuses every request.
        RunError: the rows cannot be written.
    """
    return answer_clips(
        run,
        recipe,
        prompts,
        by_clip(questions),
        endpoint,
        total=len(questions),
        progress=progress,
        reader=reader,
    )


def answer_clips(
    run: Sink,
    recipe: Recipe,
    prompts: PromptSet,
    clips: Iterable[ClipQuestions],
    endpoint: Endpoint,
    *,
    total: int,
    progress: bool = True,
    reader: ClipReader | None = None,
) -> Summary:
    """Do the same as `answer_questions` for questions that are already grouped by clip.

    Args:
        clips: each clip once. The iterable is read lazily, and an answered clip is not kept.
        total: number of questions in `clips`.
    """
    summary = Summary(total)
    pending = pending_clips(run, recipe, clips, summary)
    first = next(pending, None)
    if first is None:
        return summary
    family = None if recipe.api else family_asked(recipe)
    reader = reader or ClipReader(recipe.frames, recipe.data.cache)
    before = reader.decoded, reader.cached
    started = time.monotonic()
    workers = min(usable_cores(), recipe.answer.clips_in_flight)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        with AnswerProgress(summary, shown=progress) as bar:
            engine = _Engine(
                run, recipe, prompts, endpoint, summary, bar, pool, workers, reader, family
            )
            run_async(engine.work(chain([first], pending)))
        if summary.stopped:  # read the rest too: `pending_clips` counts what was done before
            deque(pending, maxlen=0)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        summary.cache_report.decodes = reader.decoded - before[0]
        summary.cache_report.cached = reader.cached - before[1]
        summary.seconds = round(time.monotonic() - started, 3)
        if recipe.api is not None:
            summary.charge(recipe.api.price)
        run.note(summary.facts() | {"servers": list(endpoint.servers)})
    return summary


@dataclass(slots=True)
class _Engine:
    """The state of one call of `answer_clips`."""

    run: Sink
    recipe: Recipe
    prompts: PromptSet
    endpoint: Endpoint
    summary: Summary
    bar: AnswerProgress
    pool: ThreadPoolExecutor
    look_ahead: int
    reader: ClipReader
    family: Family | None
    client: ChatClient = field(init=False)
    watch: FailureWatch = field(init=False)
    way: Vllm | Api = field(init=False)
    report: CacheReport = field(init=False)

    @property
    def clips_in_flight(self) -> int:
        """Clips in flight over all servers; the recipe's number is per server."""
        return self.recipe.answer.clips_in_flight * len(self.endpoint.servers)

    async def work(self, clips: Iterable[Pending]) -> None:
        """Answer all clips, or stop early on SIGINT or SIGTERM."""
        knobs, api = self.recipe.answer, self.recipe.api
        most = self.clips_in_flight * QUESTIONS_PER_CLIP
        self.client = ChatClient(
            self.endpoint.base_url,
            api_key=self.endpoint.api_key,
            key_header=self.endpoint.key_header,
            timeout_s=knobs.request_timeout_s,
            retries=knobs.retries,
            in_flight=min(most, api.concurrency) if api else most,
        )
        self.watch = FailureWatch(self.client)
        # Nothing is reused behind an API, so what is counted there about reuse is not kept.
        self.report = CacheReport() if api else self.summary.cache_report
        given = (self.client, self.recipe, self.prompts)
        self.way = Api(*given) if api else Vllm(*given, self.family, self.report)
        encoder = EncoderLog(self.endpoint.logs)
        async with self.client:
            self.summary.stopped = not await finished(self._ask_server(clips))
        self.summary.cache_report.encoder_runs = encoder.runs()
        if self.client.limiter.slowdowns:
            self.summary.least_in_flight = self.client.limiter.least

    async def _ask_server(self, clips: Iterable[Pending]) -> None:
        if isinstance(self.way, Api):  # it shows no models, no counters and no queue
            await self._answer_all(clips)
            return
        await self.way.start(self.run.adapter)
        self.watch.replied()
        before = await all_metrics(self.client, self.endpoint)
        async with asyncio.TaskGroup() as tasks:
            timeout_s = self.recipe.answer.request_timeout_s
            pacing = tasks.create_task(keep_queue_short(self.client, self.endpoint, timeout_s))
            await self._answer_all(clips)
            pacing.cancel()
        after = await all_metrics(self.client, self.endpoint)
        self.summary.counters = counted(before, after)

    async def _answer_all(self, clips: Iterable[Pending]) -> None:
        workers = self.clips_in_flight
        queue: _ClipQueue = asyncio.Queue(maxsize=self.look_ahead)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._decode_ahead(clips, queue, workers))
            for _ in range(workers):
                tasks.create_task(self._answer_from(queue))

    async def _decode_ahead(
        self, clips: Iterable[Pending], queue: "_ClipQueue", workers: int
    ) -> None:
        loop = asyncio.get_running_loop()
        for asked in clips:
            call = (self.recipe, self.reader, self.way.parts, asked.clip, asked.file)
            await queue.put((asked, loop.run_in_executor(self.pool, read_parts, *call)))
        for _ in range(workers):
            await queue.put(None)

    async def _answer_from(self, queue: "_ClipQueue") -> None:
        while (item := await queue.get()) is not None:
            asked, decoding = item
            parts = await decoding
            if isinstance(parts, ClipError):
                for question, mark in asked.questions:
                    status = AnswerStatus.CLIP_FAILED
                    self._record(Answer.failed(question, mark, status, str(parts)))
            else:
                await self._answer_clip(asked, parts)

    async def _answer_clip(self, asked: Pending, parts: ClipParts | None) -> None:
        """Ask one question with the frames, then the others by reference. A reference that arrives
        before the frames is refused; the first reply shows that the server holds the clip.

        An API gets the frames each time, but its prompt cache too is filled by the first."""
        waiting = iter(asked.questions)
        hybrid = self.family is not None and self.family.hybrid
        primes = hybrid and not self.prompts.systems  # with these, questions share too little
        primed = parts is not None and primes and await self._prime(parts)
        held = {self.prompts.system} if primed else set()  # system prompts before a clip computed
        for question, mark in () if primed else waiting:
            held.add(self.prompts.system_of(question.task))
            reply = await self._ask(question, mark, parts, by_reference=False)
            if reply is not None:
                if parts is not None:
                    self.report.first_reply(reply, len(parts.payload))
                break
        async with asyncio.TaskGroup() as tasks:
            for question, mark in waiting:
                system = self.prompts.system_of(question.task)
                shares = system in held and (primes or not hybrid)
                held.add(system)
                tasks.create_task(self._ask_later(question, mark, parts, shares=shares))

    async def _prime(self, parts: ClipParts) -> bool:
        """Let the server compute what all questions about a clip share; False if it could not."""
        assert isinstance(self.way, Vllm), "no other server is primed"
        try:
            reply = await self.way.prime(parts)
        except RequestError:
            return False  # the first question meets the same trouble, and its row tells of it
        self.watch.replied()
        self.report.first_reply(reply, len(parts.payload))
        return True

    async def _ask_later(
        self, question: Question, mark: RowMark, parts: ClipParts | None, *, shares: bool
    ) -> None:
        """Ask by reference. `shares`: an earlier prompt begins like this one, clip included."""
        reply = await self._ask(question, mark, parts, by_reference=True)
        if reply is not None and parts is not None:
            self.report.later_reply(reply, parts.visual_tokens, shares=shares)

    async def _ask(
        self, question: Question, mark: RowMark, parts: ClipParts | None, *, by_reference: bool
    ) -> Reply | None:
        """Ask one question and write its row. Returns the reply, None if the request failed.

        Args:
            mark: fingerprints of the question's row.
        """
        started = time.monotonic()
        try:
            reply, scores = await self.way.ask(question, parts, by_reference=by_reference)
        except RequestError as error:
            await self.watch.check(error)
            status = AnswerStatus.REQUEST_FAILED
            self.summary.refused += not error.may_pass
            self._record(Answer.failed(question, mark, status, str(error)))
            self.watch.failed(question.qid, error)
            return None
        self.watch.replied()
        seconds, constrained = time.monotonic() - started, self.recipe.answer.constrain
        row = answer_row(question, mark, reply, seconds, constrained=constrained, scores=scores)
        self._record(row)
        return reply

    def _record(self, row: Answer) -> None:
        self.run.append(row)
        self.summary.count(row)
        self.bar.advance(row.status)


_ClipQueue = asyncio.Queue[tuple[Pending, asyncio.Future[ClipParts | ClipError | None]] | None]
