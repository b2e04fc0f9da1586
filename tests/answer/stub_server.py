"""An instant stand-in for a vLLM server: the same protocol, no model, faults on demand.

It enforces what the real server enforces: a clip named by uuid alone must have been sent before,
with the same `media_io_kwargs`, in a request that is already finished; else HTTP 400. Replies are a
function of the question, so two runs can be compared row by row.
"""

import asyncio
import base64
import hashlib
import io
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web
from PIL import Image

Fault = Literal["400", "401", "429", "500", "garbage", "wrong shape", "abort", "reset", "hang"]
MODEL = "stub/model"
QID = re.compile(r"\[qid (\w+)\]")


@dataclass(frozen=True, slots=True)
class Asked:
    """One chat request as it arrived.

    Attributes:
        qid: of the question, "" for the client's own check of the constraint.
        number: how many requests about this question came before.
        uuid: of the clip.
        has_payload: the frames came along.
        key: the API key that came along.
    """

    qid: str
    number: int
    uuid: str
    has_payload: bool
    body: dict[str, Any]
    key: str | None = None


@dataclass
class StubServer:
    """Serves in a thread of its own while it is entered as a context manager.

    Attributes:
        fault: decides for each request whether, and how, it fails.
        delay_s: before every reply.
        capacity: how many clips it holds; the oldest is dropped first, as in the real cache.
        constrained: honours `structured_outputs`.
        scores: reports log-probabilities of tokens that a request names.
        thinks: keeps thinking apart from the answer, for requests that want thinking.
        healthy: what /health says.
        adapters: name -> folder of the adapters it serves beside `model`.
        port: to listen on; 0 for any.
        model: path of the model it serves.
    """

    fault: Callable[[Asked], Fault | None] = lambda asked: None
    delay_s: float = 0.0
    slots: int = 10_000
    host: str = "127.0.0.1"
    capacity: int = 10_000
    constrained: bool = True
    thinks: bool = True
    scores: bool = True
    healthy: bool = True
    adapters: Mapping[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    base_url: str = ""
    port: int = 0
    model: str = MODEL
    _held: dict[tuple[str, str], None] = field(default_factory=dict)
    _times: Counter[str] = field(default_factory=Counter)
    _hits: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._working = asyncio.Semaphore(self.slots)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away at once: connections are cut, new ones refused."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/detokenize", self._detokenize)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.base_url = f"http://{self.host}:{self._runner.addresses[0][1]}"

    async def _close(self) -> None:
        await self._runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    @property
    def questions(self) -> list[Asked]:
        """The requests about questions, in order of arrival."""
        return [asked for asked in self.asked if asked.qid]

    async def _models(self, _: web.Request) -> web.Response:
        cards = [{"id": self.model, "root": self.model, "parent": None}]
        cards += [
            {"id": n, "root": root, "parent": self.model} for n, root in self.adapters.items()
        ]
        return web.json_response({"data": cards})

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.healthy else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        lines = [
            "# TYPE vllm:mm_cache_queries counter",
            f'vllm:mm_cache_queries_total{{engine="0"}} {len(self.questions)}.0',
            "# TYPE vllm:mm_cache_hits counter",
            f'vllm:mm_cache_hits_total{{engine="0"}} {self._hits}.0',
            "# TYPE vllm:num_requests_running gauge",
            f'vllm:num_requests_running{{engine="0"}} {min(self.in_flight, self.slots)}.0',
        ]
        return web.Response(text="\n".join(lines) + "\n")

    async def _detokenize(self, request: web.Request) -> web.Response:
        return web.json_response({"prompt": bytes((await request.json())["tokens"]).decode()})

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        text = body.get("prompt", "user: Hello. assistant: ")
        return web.json_response({"tokens": list(text.encode())})

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        asked = self._note(body, key or None)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if (fault := self.fault(asked)) is not None:
                return await self._fail(fault, request)
            return await self._reply(asked)
        finally:
            self.in_flight -= 1

    def _note(self, body: dict[str, Any], key: str | None) -> Asked:
        text = json.dumps(body["messages"])
        found = QID.search(text)
        qid = found[1] if found else ""
        content = [one for one in body["messages"] if one["role"] == "user"][-1]["content"]
        part: dict[str, Any] = content[0] if isinstance(content, list) else {"type": "text"}
        asked = Asked(
            qid,
            self._times[qid],
            part.get("uuid", ""),
            part["type"] != "video_url" or part["video_url"] is not None,
            body,
            key,
        )
        self._times[qid] += 1
        self.asked.append(asked)
        return asked

    async def _fail(self, fault: Fault, request: web.Request) -> web.Response:
        if fault == "hang":
            await asyncio.sleep(60)
        if fault == "reset":
            assert request.transport is not None
            request.transport.abort()
        if fault == "garbage":
            return web.Response(text='{"choices": [{"mess', content_type="application/json")
        if fault == "wrong shape":
            return web.json_response({"choices": []})
        if fault == "abort":  # a vLLM that is being stopped sends what it has
            choice = {"message": {"content": "The person"}, "finish_reason": "abort"}
            return web.json_response({"choices": [choice]})
        return _error(int(fault) if fault.isdigit() else 500, f"injected {fault}")

    async def _reply(self, asked: Asked) -> web.Response:
        key = (asked.uuid, json.dumps(asked.body.get("media_io_kwargs"), sort_keys=True))
        if asked.qid and not asked.has_payload:
            if key not in self._held:
                return _error(400, "Cache miss for video at index 0 but data is not provided.")
            self._hits += 1
        async with self._working:
            await asyncio.sleep(self.delay_s)
        if asked.uuid:  # held only once the request is done, so early references are caught
            self._held[key] = None
            while len(self._held) > self.capacity:
                del self._held[next(iter(self._held))]
        completion = _completion(asked, constrained=self.constrained)
        switch = asked.body.get("chat_template_kwargs", {"enable_thinking": False})
        if self.thinks and switch["enable_thinking"]:
            completion = _thought(asked)
        if allowed := asked.body.get("allowed_token_ids"):
            completion = _scored(asked, allowed, reports=self.scores)
        if asked.body.get("return_token_ids"):
            completion["prompt_token_ids"] = list(_prompt_as_seen(asked.body).encode())
        return web.json_response(completion)


def reply_text(qid: str, choices: list[str] | None) -> str:
    """What the stub says to a question: a choice, or a sentence, by hash of its qid."""
    number = int(hashlib.sha256(qid.encode()).hexdigest(), 16)
    return choices[number % len(choices)] if choices else f"A description of {qid}."


def _completion(asked: Asked, *, constrained: bool) -> dict[str, Any]:
    choices = asked.body.get("structured_outputs", {}).get("choice") if constrained else None
    text = reply_text(asked.qid, choices)
    limit = asked.body["max_tokens"]
    # One token is one character here, so that "Yes" cut after a token is the prefix "Y".
    cut = choices is not None and limit < len(text)
    return {
        "choices": [
            {
                "message": {"role": "assistant", "content": text[:limit] if cut else text},
                "finish_reason": "length" if cut else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 0 if asked.has_payload else 80},
        },
    }


def token_score(qid: str, begun: str, token: int) -> float:
    """The stub's log-probability of a token (a character) after the beginning of an answer."""
    digest = hashlib.sha256(f"{qid}/{begun}/{token}".encode()).digest()
    return -digest[0] / 16 - 0.01


def _scored(asked: Asked, allowed: list[int], *, reports: bool) -> dict[str, Any]:
    last = asked.body["messages"][-1]
    begun = last["content"] if last["role"] == "assistant" else ""
    scores = {token: token_score(asked.qid, begun, token) for token in allowed}
    token = max(scores, key=lambda one: scores[one])
    top = [{"token": f"token_id:{one}", "logprob": score} for one, score in scores.items()]
    logprobs = {"content": [{"token": "x", "logprob": scores[token], "top_logprobs": top}]}
    return {
        "choices": [
            {
                "message": {"content": chr(token)},
                "finish_reason": "length",
                "logprobs": logprobs if reports else None,
            }
        ]
    }


THOUGHT = "Not Yes, not A. "


def _thought(asked: Asked) -> dict[str, Any]:
    """A reply after thinking. To questions whose qid ends in 1 the budget ends it, and with MADU
    nothing is left for the answer."""
    pattern = asked.body.get("structured_outputs", {}).get("regex")
    choices = pattern.removeprefix("\n\n(").removesuffix(")").split("|") if pattern else None
    ran_out = asked.qid.endswith("1")
    cut = asked.qid.startswith("MADU")
    message = {
        "content": None if cut else "\n\n" + reply_text(asked.qid, choices),
        "reasoning": THOUGHT + ("\nTime is up.\n" if ran_out else ""),
    }
    return {
        "choices": [{"message": message, "finish_reason": "length" if cut else "stop"}],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 9,
            "completion_tokens_details": {"reasoning_tokens": 7},
            "prompt_tokens_details": {"cached_tokens": 0 if asked.has_payload else 80},
        },
    }


def _prompt_as_seen(body: dict[str, Any]) -> str:
    """What the model is given of a clip: the mean time of each pair of frames, and its cells."""
    video = body["media_io_kwargs"]["video"]
    seconds = [index / video["fps"] for index in video["frames_indices"]]
    url = body["messages"][-1]["content"][0]["video_url"]["url"]
    jpeg = base64.b64decode(url.partition(",")[2].split(",")[0])
    width, height = Image.open(io.BytesIO(jpeg)).size
    cells = "<|video_pad|>" * (width // 32 * height // 32)
    pairs = zip(seconds[::2], seconds[1::2], strict=True)
    return "".join(f"<{(first + second) / 2:.1f} seconds>{cells}" for first, second in pairs)


def _error(status: int, message: str) -> web.Response:
    error = {"message": message, "type": "BadRequestError", "code": status}
    return web.json_response({"error": error}, status=status)


if __name__ == "__main__":  # a server process for tests that kill it
    import sys
    import time

    host = sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1"
    with StubServer(port=int(sys.argv[1]), delay_s=float(sys.argv[2]), host=host) as stub:
        print(stub.base_url.rpartition(":")[2], flush=True)
        time.sleep(3600)
