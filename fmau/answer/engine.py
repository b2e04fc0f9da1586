"""The answering engine: every question of a run, clip by clip, each row written as it comes.

Data flow, with everything in it bounded:

    clips --> decode ahead (threads) --> queue --> `clips_in_flight` workers --> server
                                                        |
                                                        +--> answers.jsonl

Decoding runs in threads, not processes: decord, PyAV and the JPEG encoder let go of the GIL while
they work, frames need no pickling, and a killed client leaves no orphans.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fmau.answer.order import ClipQuestions, by_clip
from fmau.answer.progress import AnswerProgress
from fmau.answer.request import ClipParts, answer_row, build_request
from fmau.answer.server import check_constraint, choose_model, counted, read_counters
from fmau.answer.summary import Summary
from fmau.chat import ChatClient, FailureWatch, RequestError
from fmau.dataset.questions import clip_path
from fmau.errors import ClipError
from fmau.frames.clip import ClipFrames, read_clip
from fmau.interrupt import finished
from fmau.prompts import PromptSet
from fmau.recipe import FramesBlock, Recipe
from fmau.records import Answer, AnswerStatus, Question
from fmau.runs import Run
from fmau.runs.manifest import usable_cores

Read = Callable[[Path, FramesBlock], ClipFrames]
"""Decodes one clip; raises ClipError."""


def answer_questions(
    run: Run,
    recipe: Recipe,
    prompts: PromptSet,
    questions: Sequence[Question],
    base_url: str,
    *,
    api_key: str | None = None,
    progress: bool = True,
    read: Read = read_clip,
) -> Summary:
    """Put every question that has no final answer yet to the server, and append its row to `run`.

    A clip that cannot be read and a request that fails after all retries become rows too, and are
    asked again by the next call. SIGINT and SIGTERM end the work cleanly within two seconds.

    Args:
        run: if it was opened with an adapter, the server must serve that on the recipe's model.
        base_url: of the server, e.g. "http://127.0.0.1:8000".
        api_key: None for a server without one.
        progress: draw a progress bar on stderr.
        read: what decodes a clip.

    Raises:
        ServerError: the server is not there, is gone for good, serves another model, ignores
            the constraint on closed answers, or refuses everything.
        RunError: the rows cannot be written.
    """
    fingerprints = dict(_fingerprints(run, recipe, questions))
    todo = [q for q in questions if not run.is_done(q.qid, fingerprints[q.qid])]
    summary = Summary(len(questions), len(questions) - len(todo))
    if not todo:
        return summary
    workers = min(usable_cores(), recipe.answer.clips_in_flight)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    started = time.monotonic()
    try:
        with AnswerProgress(summary.total, summary.done_before, shown=progress) as bar:
            engine = _Engine(run, recipe, prompts, fingerprints, summary, bar, pool, workers, read)
            asyncio.run(engine.work(by_clip(todo), base_url, api_key))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        summary.seconds = round(time.monotonic() - started, 3)
        run.note(asdict(summary) | {"base_url": base_url})
    return summary


def unanswered(run: Run, recipe: Recipe, questions: Sequence[Question]) -> list[Question]:
    """The questions that have no final answer in `run` yet, in the order given."""
    fingerprints = dict(_fingerprints(run, recipe, questions))
    return [q for q in questions if not run.is_done(q.qid, fingerprints[q.qid])]


def _fingerprints(
    run: Run, recipe: Recipe, questions: Sequence[Question]
) -> Iterator[tuple[str, str]]:
    """(qid, row fingerprint) of every question."""
    sizes: dict[str, int | None] = {}
    for question in questions:
        if question.clip not in sizes:
            path = clip_path(recipe.data.clips, question.clip)
            sizes[question.clip] = path.stat().st_size if path.is_file() else None
        yield question.qid, run.row_fingerprint(question, sizes[question.clip])


@dataclass(slots=True)
class _Engine:
    """The state of one call of `answer_questions`."""

    run: Run
    recipe: Recipe
    prompts: PromptSet
    fingerprints: dict[str, str]
    summary: Summary
    bar: AnswerProgress
    pool: ThreadPoolExecutor
    look_ahead: int
    read: Read
    client: ChatClient = field(init=False)
    model: str = field(init=False)
    watch: FailureWatch = field(init=False)

    async def work(self, clips: list[ClipQuestions], base_url: str, api_key: str | None) -> None:
        """Answer everything, or as much as a signal leaves time for."""
        knobs = self.recipe.answer
        self.client = ChatClient(
            base_url, api_key=api_key, timeout_s=knobs.request_timeout_s, retries=knobs.retries
        )
        self.watch = FailureWatch(self.client)
        async with self.client:
            self.summary.stopped = not await finished(self._ask_server(clips))

    async def _ask_server(self, clips: list[ClipQuestions]) -> None:
        adapter = self.run.manifest.adapter
        self.model = await choose_model(self.client, self.recipe.model.path, adapter)
        await check_constraint(self.client, self.model)
        before = read_counters(await self.client.metrics())
        await self._answer_all(clips)
        after = read_counters(await self.client.metrics())
        self.summary.counters = counted(before, after)

    async def _answer_all(self, clips: list[ClipQuestions]) -> None:
        workers = min(self.recipe.answer.clips_in_flight, len(clips))
        queue: _ClipQueue = asyncio.Queue(maxsize=self.look_ahead)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._decode_ahead(clips, queue, workers))
            for _ in range(workers):
                tasks.create_task(self._answer_from(queue))

    async def _decode_ahead(
        self, clips: list[ClipQuestions], queue: "_ClipQueue", workers: int
    ) -> None:
        loop = asyncio.get_running_loop()
        for asked in clips:
            await queue.put((asked, loop.run_in_executor(self.pool, self._decode, asked.clip)))
        for _ in range(workers):
            await queue.put(None)

    def _decode(self, clip: str) -> ClipParts | ClipError | None:
        if self.recipe.answer.blind:
            return None
        try:
            frames = self.read(clip_path(self.recipe.data.clips, clip), self.recipe.frames)
        except ClipError as error:
            return error
        return ClipParts.of(frames)

    async def _answer_from(self, queue: "_ClipQueue") -> None:
        while (item := await queue.get()) is not None:
            asked, decoding = item
            clip = await decoding
            if isinstance(clip, ClipError):
                for question in asked.questions:
                    self._record_failure(question, AnswerStatus.CLIP_FAILED, str(clip))
            else:
                self.summary.decodes += clip is not None
                await self._answer_clip(asked, clip)

    async def _answer_clip(self, asked: ClipQuestions, clip: ClipParts | None) -> None:
        """The first reply shows that the server holds the clip; only then may others refer to it,
        or they would overtake the payload and be refused."""
        waiting = iter(asked.questions)
        for question in waiting:
            if await self._ask(question, clip, by_reference=False):
                break
        async with asyncio.TaskGroup() as tasks:
            for question in waiting:
                tasks.create_task(self._ask(question, clip, by_reference=True))

    async def _ask(self, question: Question, clip: ClipParts | None, *, by_reference: bool) -> bool:
        """Whether the server gave a reply, whatever it holds."""
        given = (question, self.recipe, self.prompts, clip)
        whole = build_request(*given, by_reference=False)
        first = build_request(*given, by_reference=True) if by_reference else whole
        started = time.monotonic()
        try:
            reply = await self.client.ask(self.model, first, resend=whole)
        except RequestError as error:
            await self.watch.check(error)
            self._record_failure(question, AnswerStatus.REQUEST_FAILED, str(error))
            self.watch.failed(question.qid, error)
            return False
        self.watch.replied()
        seconds = time.monotonic() - started
        self._record(answer_row(question, self.fingerprints[question.qid], reply, seconds))
        return True

    def _record_failure(self, question: Question, status: AnswerStatus, reason: str) -> None:
        self._record(Answer.failed(question, self.fingerprints[question.qid], status, reason))

    def _record(self, row: Answer) -> None:
        self.run.append(row)
        self.summary.count(row)
        self.bar.advance(row.status)


_ClipQueue = asyncio.Queue[
    tuple[ClipQuestions, asyncio.Future[ClipParts | ClipError | None]] | None
]
