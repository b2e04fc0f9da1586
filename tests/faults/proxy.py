"""A proxy between client and server that spoils some requests; which ones, a seed decides."""

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Self

import aiohttp
from aiohttp import web

from tests.answer.stub_server import QID

SHARE = 0.4
"""Of the first two requests about each question that are spoiled. The third passes."""
SPOILED_ATTEMPTS = 2

DRIP_BYTES, DRIP_S = 40, 0.002

Spoil = Callable[[web.Request, "Forward"], Awaitable[web.StreamResponse]]
Forward = Callable[[], Awaitable[bytes]]


async def reset_before(request: web.Request, _: Forward) -> web.StreamResponse:
    """The connection breaks before the server hears of the request."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def reset_after(request: web.Request, forward: Forward) -> web.StreamResponse:
    """The server has answered, and the connection breaks before the reply arrives."""
    await forward()
    return await reset_before(request, forward)


async def hang(_: web.Request, __: Forward) -> web.StreamResponse:
    """Nothing comes back until the client has lost patience."""
    await asyncio.sleep(30)
    return web.Response()


async def drip(request: web.Request, forward: Forward) -> web.StreamResponse:
    """The whole reply, some bytes at a time."""
    content = await forward()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for start in range(0, len(content), DRIP_BYTES):
        await response.write(content[start : start + DRIP_BYTES])
        await asyncio.sleep(DRIP_S)
    return response


async def cut_off(request: web.Request, forward: Forward) -> web.StreamResponse:
    """Half of a reply that announced its whole length."""
    content = await forward()
    response = web.StreamResponse(headers={"Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    return await reset_before(request, forward)


async def truncated_json(_: web.Request, forward: Forward) -> web.StreamResponse:
    """Half of the JSON, as if that were all of it."""
    content = await forward()
    return web.Response(body=content[: len(content) // 2], content_type="application/json")


async def garbage(_: web.Request, __: Forward) -> web.StreamResponse:
    """HTTP 200 and no JSON."""
    return web.Response(body=bytes(range(256)))


async def abort(_: web.Request, forward: Forward) -> web.StreamResponse:
    """What a vLLM sends that is being stopped: a part of the text, HTTP 200."""
    tree = json.loads(await forward())
    tree["choices"][0]["finish_reason"] = "abort"
    return web.json_response(tree)


async def cache_miss(_: web.Request, __: Forward) -> web.StreamResponse:
    """What vLLM says of a clip that it has dropped."""
    error = {"message": "Cache miss for video at index 0 but data is not provided."}
    return web.json_response({"error": error}, status=400)


def status(code: int, **headers: str) -> Spoil:
    """Refuse with a status code."""

    async def spoil(_: web.Request, __: Forward) -> web.StreamResponse:
        error = {"message": f"injected {code}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": error}, status=code, headers=named)

    return spoil


def says(text: str, finish_reason: str) -> Spoil:
    """Another text in place of the model's."""

    async def spoil(_: web.Request, forward: Forward) -> web.StreamResponse:
        tree = json.loads(await forward())
        tree["choices"][0]["message"]["content"] = text
        tree["choices"][0]["finish_reason"] = finish_reason
        return web.json_response(tree)

    return spoil


PASSING: dict[str, Spoil] = {
    "connection reset before the request": reset_before,
    "connection reset after the request": reset_after,
    "no reply in time": hang,
    "reply in drips": drip,
    "connection lost within the reply": cut_off,
    "truncated JSON": truncated_json,
    "garbage with HTTP 200": garbage,
    "reply broken off by a stopping server": abort,
    "clip dropped (cache miss)": cache_miss,
    "HTTP 429": status(429),
    "HTTP 429 with Retry-After": status(429, Retry_After="0"),
    "HTTP 500": status(500),
    "HTTP 503": status(503),
}
"""Faults that another attempt gets past."""

CHANGING: dict[str, Spoil] = {
    "empty output": says("", "stop"),
    "repetitive output up to the limit": says("the head the head " * 40, "length"),
}
"""Faults of the model, which come back as replies."""


class FaultProxy:
    """Forwards to `upstream`; spoils requests about questions. Enter it to start it.

    Args:
        seed: the same one spoils the same attempts at the same questions.
        lasting: spoil every attempt at a chosen question, not just the first ones.

    Attributes:
        spoiled: qids of which a request was spoiled.
    """

    def __init__(self, upstream: str, spoil: Spoil, seed: int, *, lasting: bool = False) -> None:
        self.spoiled: set[str] = set()
        self._upstream = upstream
        self._spoil = spoil
        self._seed = seed
        self._lasting = lasting
        self._attempts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start(self) -> None:
        self._http = aiohttp.ClientSession()
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        await self._http.close()
        await self._runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:  # requests that still hang
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        found = QID.search(body.decode())
        if found is not None and self._chosen(found[1]):
            self.spoiled.add(found[1])
            return await self._spoil(request, lambda: self._content(request, body))
        code, content = await self._forward(request, body)
        return web.Response(body=content, status=code, content_type="application/json")

    def _chosen(self, qid: str) -> bool:
        attempt = self._attempts[qid]
        self._attempts[qid] += 1
        if self._lasting:
            attempt = 0
        lucky = random.Random(f"{self._seed} {qid} {attempt}").random() >= SHARE
        return attempt < SPOILED_ATTEMPTS and not lucky

    async def _content(self, request: web.Request, body: bytes) -> bytes:
        _, content = await self._forward(request, body)
        return content

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        url = f"{self._upstream}{request.path_qs}"
        async with self._http.request(request.method, url, data=body) as response:
            return response.status, await response.read()
