"""Lets only the requests that fmau makes reach a vLLM server, and only with the key.

vLLM asks for its key under /v1 alone; others (/invocations, /tokenize, /metrics) answer without
one. A server with a key gets this as its outermost layer, by vLLM's flag `--middleware`. It runs
in the server's process and imports nothing but the standard library.
"""

import hmac
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = {"/health"}
"""A page that says nothing but that the server lives."""

WITH_KEY = {
    "/v1/chat/completions",
    "/v1/models",
    "/metrics",
    "/tokenize",
    "/detokenize",
}
"""What fmau asks a server for."""


class Guard:
    """An ASGI layer before `app`. The key is that of vLLM, from VLLM_API_KEY."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._expected = f"Bearer {os.environ['VLLM_API_KEY']}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with 401 (no key, wrong key) or 404."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        status = self._refusal(scope)
        if status is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b'{"error": "refused by fmau"}'})
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope) -> int | None:
        if scope["type"] != "http":
            return 404
        if scope["path"] in OPEN:
            return None
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, self._expected):
            return 401
        return None if scope["path"] in WITH_KEY else 404
