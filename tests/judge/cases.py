"""A judge, some answers, and a stand-in for the server of its model."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml
from aiohttp import web

from fmau.core.taxonomy import OPEN_TASKS, Task
from fmau.judge.items import JudgeItem
from fmau.judge.judges import LlmJudge

REFERENCE = "The right hand rises early to the chin and rests there; the head stays still."
ANSWER = "The right hand moves up to the chin. It stays there until the end."


def judge(**changes: Any) -> LlmJudge:
    """A judge whose model is at port 1 unless told otherwise."""
    remote = {"base_url": "http://127.0.0.1:1", "model": "judge-1"}
    given = {"name": "stub", "kind": "llm", "remote": remote, "retries": 1, "concurrency": 4}
    return LlmJudge.model_validate(given | changes)


def judge_file(folder: Path, url: str = "http://127.0.0.1:1", **changes: object) -> Path:
    """The file of a judge whose model is at `url`; `changes` replace its keys."""
    tree = {
        "name": "stub",
        "kind": "llm",
        "remote": {"base_url": url, "model": "m"},
        "concurrency": 4,
        "retries": 1,
    } | changes
    path = folder / "judge.yaml"
    path.write_text(yaml.safe_dump(tree), "utf-8")
    return path


def item(answer: str = ANSWER, *, qid: str = "MADU_0001", task: Task = Task.MADU) -> JudgeItem:
    return JudgeItem(qid, "clip", task, "Describe the clip.", REFERENCE, answer)


def items(count: int) -> list[JudgeItem]:
    """`count` answers of each open task, every one of them different."""
    return [
        item(f"{ANSWER} It moves {number} times.", qid=f"{task}_{number:04}", task=task)
        for task in OPEN_TASKS
        for number in range(count)
    ]


def honest_reply(body: dict[str, Any]) -> str:
    """Scores that depend on nothing but the messages, so that two runs can be compared."""
    wanted = body["response_format"]["json_schema"]["schema"]["properties"]
    seed = hashlib.sha256(json.dumps(body["messages"]).encode()).digest()
    scores = {key: seed[place] % 6 for place, key in enumerate(wanted) if key != "rationale"}
    return json.dumps({"rationale": "it agrees in part"} | scores)


@dataclass
class StubJudge:
    """Serves chat completions in a thread of its own while it is entered as a context manager.

    Attributes:
        reply: request body -> text of the reply, or an HTTP status.
        delay_s: before every reply.
        asked: bodies in the order they came.
    """

    reply: Callable[[dict[str, Any]], str | int] = honest_reply
    delay_s: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    base_url: str = ""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(self.delay_s)
        self.in_flight -= 1
        said = self.reply(body)
        if isinstance(said, int):
            return web.json_response({"message": "stub refuses"}, status=said)
        details = {"cached_tokens": 60}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": details}
        choice = {"message": {"content": said}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": usage})
