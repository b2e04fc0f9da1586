"""What travels between the client and a server, byte by byte."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.errors import ServerError
from fmau.serve.client import ChatClient, ChatRequest, Reply, RequestError, ServedModel
from fmau.serve.client.wire import read_models, read_refusal, read_reply
from tests.fuzzing import altered

Handler = Callable[[web.Request], Awaitable[web.Response]]
REQUEST = ChatRequest([{"role": "user", "content": "?"}], 5, {"seed": 0}, session="clip-1")
GOOD = {"choices": [{"message": {"content": "Yes"}, "finish_reason": "stop"}]}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fmau.serve.client.chat.FIRST_WAIT_S", 0.01)


def ask(handler: Handler, request: ChatRequest = REQUEST, **options: float) -> Reply:
    """The reply of a server with one handler."""

    async def work() -> Reply:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            async with ChatClient(url, api_key="secret", **options) as client:  # type: ignore[arg-type]
                return await client.ask("m", request)
        finally:
            await runner.cleanup()

    return asyncio.run(work())


def test_the_body_the_key_and_the_session_arrive() -> None:
    seen = {}

    async def handler(request: web.Request) -> web.Response:
        seen.update(await request.json())
        seen["headers"] = dict(request.headers)
        return web.json_response(GOOD)

    assert ask(handler).text == "Yes"
    headers = seen.pop("headers")
    assert seen == {
        "model": "m",
        "messages": [{"role": "user", "content": "?"}],
        "max_tokens": 5,
        "seed": 0,
    }
    assert headers["Authorization"] == "Bearer secret"
    assert headers["X-Session-ID"] == "clip-1"


def test_the_wait_that_a_server_asks_for_is_kept() -> None:
    times = []

    async def handler(_: web.Request) -> web.Response:
        times.append(time.monotonic())
        if len(times) == 1:
            return web.json_response({}, status=429, headers={"Retry-After": "1"})
        return web.json_response(GOOD)

    assert ask(handler).text == "Yes"
    assert 1.0 <= times[1] - times[0] < 3.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"error": {"message": "too long"}}', "HTTP 400: too long"),
        (b'{"error": "too long"}', "HTTP 400: too long"),
        (b'{"object": "error", "message": "too long"}', "HTTP 400: too long"),
        (b'{"detail": "too long"}', "HTTP 400: too long"),
        (b"<html>too long</html>", "HTTP 400: <html>too long</html>"),
        (b"{}", "HTTP 400: no reason given"),
        (b"", "HTTP 400: no reason given"),
    ],
)
def test_refusals_are_told_in_the_servers_words(content: bytes, said: str) -> None:
    assert read_refusal(400, content) == said

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=content, status=400)

    with pytest.raises(RequestError, match=said):
        ask(handler)


def test_a_refused_key_ends_all_work() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"error": "Unauthorized"}, status=401)

    with pytest.raises(ServerError, match="check the API key"):
        ask(handler)


def test_a_reply_cut_off_in_the_middle_is_asked_for_again() -> None:
    tries = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal tries
        tries += 1
        if tries == 1:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"choices": [')
            assert request.transport is not None
            request.transport.abort()
            return response  # type: ignore[return-value]
        return web.json_response(GOOD)

    assert ask(handler).text == "Yes"
    assert tries == 2


@given(st.binary(max_size=200))
def test_no_bytes_break_the_readers(content: bytes) -> None:
    for read in (read_reply, read_models):
        with pytest.raises(ValueError, match="validation error"):
            read(content)
    assert read_refusal(500, content).startswith("HTTP 500: ")


COMPLETION = {
    "choices": [*GOOD["choices"], {"message": {"content": "the second of two"}}],
    "usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}},
}
CARDS = {"data": [{"id": "m", "root": "/m"}, {"id": "lora", "root": "/l", "parent": "m"}]}


def test_a_completion_and_a_model_list_are_read() -> None:
    assert read_reply(json.dumps(COMPLETION).encode()) == Reply("Yes", "stop", 9, 4, None)
    assert read_models(json.dumps(CARDS).encode()) == [
        ServedModel("m", "/m", None),
        ServedModel("lora", "/l", "m"),
    ]


@given(altered(COMPLETION))
def test_any_completion_is_read_as_it_stands_or_refused(tree: Any) -> None:
    content = json.dumps(tree).encode()
    assert read_refusal(500, content).startswith("HTTP 500: ")
    try:
        reply = read_reply(content)
    except ValueError:
        return
    first = tree["choices"][0]
    text = first["message"].get("content") or ""
    if isinstance(text, list):
        text = "".join(part.get("text") or "" for part in text)
    assert reply.text == text
    reason = first.get("finish_reason")
    assert reply.finish_reason == (reason.lower() if reason else None)


@given(altered(CARDS))
def test_any_model_list_is_read_as_it_stands_or_refused(tree: Any) -> None:
    try:
        models = read_models(json.dumps(tree).encode())
    except ValueError:
        return
    assert [(model.name, model.root, model.parent) for model in models] == [
        (card["id"], card.get("root"), card.get("parent")) for card in tree["data"]
    ]


def test_a_server_that_never_replies_is_named_as_such() -> None:
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    async def work() -> None:
        listening = await asyncio.start_server(silent, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        async with listening, ChatClient(address, timeout_s=0.1) as client:
            with pytest.raises(ServerError, match=r"no server answers \(no reply in time\)"):
                await client.models()

    asyncio.run(work())
