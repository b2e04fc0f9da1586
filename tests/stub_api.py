"""A stand-in for an API that is not vLLM: it knows one path, and its handler says the rest."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request, dict[str, Any]], web.Response | Awaitable[web.Response]]


def said(
    content: object,
    reason: str | None = "stop",
    *,
    usage: Mapping[str, Any] | None = None,
    **more: object,
) -> web.Response:
    """A chat completion.

    Args:
        more: further fields of the message, such as `refusal`.
    """
    choice = {"message": {"content": content, **more}, "finish_reason": reason}
    return web.json_response({"choices": [choice]} | ({"usage": usage} if usage else {}))


def refused(status: int, message: str, **headers: str) -> web.Response:
    """An error in the form of OpenAI."""
    return web.json_response({"error": {"message": message}}, status=status, headers=headers)


@contextmanager
def api(path: str, handler: Handler) -> Iterator[str]:
    """An API that knows one path; gives its address without a path."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def handle(request: web.Request) -> web.Response:
        reply = handler(request, await request.json())
        return reply if isinstance(reply, web.Response) else await reply

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application(client_max_size=2**30)
        app.router.add_post(path, handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
