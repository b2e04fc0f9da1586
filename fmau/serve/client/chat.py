"""An async client of one OpenAI-compatible chat server that waits out its bad moments.

Plain aiohttp: a benchmark is 12,000 small requests, and a client that takes longer than the server
is in its way (docs/speed.md has both). The retries are `tenacity`'s, because a further attempt may
need another body (the clip's payload, when the server has dropped it), and a reply that is not JSON
must be retried too.
"""

from collections.abc import Callable
from typing import Any, Self

import aiohttp
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from fmau.core.errors import ServerError
from fmau.serve.client.rate_limiter import RateLimiter
from fmau.serve.client.wire import (
    ChatRequest,
    Reply,
    ServedModel,
    read_models,
    read_object,
    read_refusal,
    read_reply,
)

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0

KEEP_ALIVE_S = 2.0
"""Less than servers wait (uvicorn: 5 s), so that none hangs up on a request that is on its way."""

PROBE_TIMEOUT_S = 5.0
_CACHE_MISS = "cache miss"
_RETRIED_STATUSES = {408, 409, 429}
_TOO_MANY = {429, 503}
_ENDED = {"stop", "length", "content_filter"}
"""Finish reasons that asking again would repeat: the model ended, the limit was reached, a filter
stepped in. A vLLM that is stopped sends what it has with "abort" and HTTP 200; that is none."""

Resend = Callable[[], ChatRequest]


class NoServerError(ServerError):
    """Nothing listens at the address."""


class RequestError(Exception):
    """One request got no reply; the text says why, for people."""


class _TransientError(RequestError):
    """A failure that another attempt may not meet.

    Attributes:
        wait_s: how long the server asks us to wait; 0 if it does not.
    """

    def __init__(self, text: str, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class _CacheMissError(_TransientError):
    """The server no longer holds the media item that the request referred to."""


class ChatClient:
    """Talks to the server at `base_url`; use it as an async context manager.

    Args:
        base_url: of the server, e.g. "http://127.0.0.1:8000", with or without "/v1".
        api_key: None for a server without one.
        timeout_s: patience with one attempt.
        retries: further attempts after a failure that may pass. The wait doubles from half a
            second to 30 s; up to half a second is added at random, so that requests that failed
            together do not come back together. A server that names a wait (Retry-After) gets it.
        in_flight: most requests at once; see `RateLimiter`.

    Attributes:
        base_url: without "/v1".
        limiter: how many requests the server takes at once.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 300,
        retries: int = 4,
        in_flight: int = 256,
    ) -> None:
        self.base_url = base_url.rstrip("/").removesuffix("/v1")
        self.limiter = RateLimiter(in_flight)
        self._chat_url = f"{self.base_url}/v1/chat/completions"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._waits = wait_exponential_jitter(
            multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S, jitter=FIRST_WAIT_S
        )
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TransientError),
            stop=stop_after_attempt(retries + 1),
            wait=self._wait,
            reraise=True,
        )

    async def ask(self, model: str, request: ChatRequest, *, resend: Resend | None = None) -> Reply:
        """Send a request until there is a reply or retries run out.

        Args:
            model: name of the served model.
            resend: gives what every attempt after the first sends, `request` again by default.
                After a failure the server may have lost what `request` refers to.

        Raises:
            RequestError: refused for its content, or no reply after all attempts.
            ServerError: refused for the key or the model's name, which no other request would
                get past either.
        """
        again = resend or (lambda: request)
        async for attempt in self._retrying.copy():  # one object cannot serve two tasks at once
            with attempt:
                is_first = attempt.retry_state.attempt_number == 1
                try:
                    return await self._attempt(model, request if is_first else again())
                except _CacheMissError:  # no fault: once more at once, with what was missing
                    return await self._attempt(model, again())
        raise AssertionError("tenacity re-raises the last failure")

    async def models(self) -> list[ServedModel]:
        """What the server serves.

        Raises:
            NoServerError: nothing listens at `base_url`.
            ServerError: what listens does not answer, or not as such a server does.
        """
        try:
            status, content = await self._get("/v1/models", self._timeout)
        except (aiohttp.ClientError, TimeoutError) as error:
            refused = isinstance(error, aiohttp.ClientConnectorError)
            raise (NoServerError if refused else ServerError)(
                f"{self.base_url}: no server answers ({_cause(error)}); start one with fmau serve"
            ) from error
        if status >= 400:
            refusal = read_refusal(status, content)
            raise ServerError(f"{self.base_url}: {refusal}; check the address and the API key")
        try:
            return read_models(content)
        except ValueError as error:
            raise ServerError(
                f"{self.base_url}: this is not an OpenAI-compatible server; end what runs there, "
                "or choose another port with --set serve.port=NUMBER"
            ) from error

    async def is_alive(self) -> bool:
        """Whether anything but a server error comes back from the server's health page."""
        try:
            status, _ = await self._get("/health", aiohttp.ClientTimeout(PROBE_TIMEOUT_S))
        except (aiohttp.ClientError, TimeoutError):
            return False
        return status < 500  # not every server has such a page

    async def metrics(self, server: str | None = None) -> str | None:
        """The text of a Prometheus page, None if there is none.

        Args:
            server: whose; default: the one at `base_url`.
        """
        timeout = aiohttp.ClientTimeout(PROBE_TIMEOUT_S)
        try:
            status, content = await self._get("/metrics", timeout, server)
        except (aiohttp.ClientError, TimeoutError):
            return None
        return content.decode("utf-8", "replace") if status == 200 else None

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One exchange of JSON objects, as it is: no further attempts, no turn to wait for.

        Args:
            path: e.g. "/detokenize".

        Raises:
            RequestError: refused, no reply, or a reply that is not a JSON object.
        """
        url = f"{self.base_url}{path}"
        try:
            async with self._http.post(url, json=body, timeout=self._timeout) as response:
                status, content = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RequestError(f"no reply: {_cause(error)}") from error
        if status >= 400:
            raise RequestError(read_refusal(status, content))
        try:
            return read_object(content)
        except ValueError as error:
            raise RequestError(f"the reply is not a JSON object ({error})") from error

    async def __aenter__(self) -> Self:
        # The limiter bounds what is in flight; a second bound here would only hide it. No proxy of
        # the environment comes between us and our own server.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S)
        self._http = aiohttp.ClientSession(
            connector=connector, headers=self._headers, trust_env=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def _get(
        self, path: str, timeout: aiohttp.ClientTimeout, server: str | None = None
    ) -> tuple[int, bytes]:
        url = f"{server or self.base_url}{path}"
        async with self._http.get(url, timeout=timeout) as response:
            return response.status, await response.read()

    async def _attempt(self, model: str, request: ChatRequest) -> Reply:
        async with self.limiter.turn() as granted:
            try:
                status, wait_s, content = await self._post(model, request)
            except TimeoutError as error:
                self.limiter.too_many(granted)
                raise _TransientError("no reply in time") from error
            except aiohttp.ClientError as error:
                raise _TransientError(f"no reply: {_cause(error)}") from error
            if status in _TOO_MANY:
                self.limiter.too_many(granted)
            if status >= 400:
                raise self._failure(status, wait_s, content)
            reply = _completed(content)
            self.limiter.answered()
            return reply

    async def _post(self, model: str, request: ChatRequest) -> tuple[int, float, bytes]:
        """Status, seconds that the server asks us to wait, and body."""
        headers = {"Content-Type": "application/json"}
        if request.session is not None:
            headers["X-Session-ID"] = request.session
        async with self._http.post(
            self._chat_url, data=request.body(model), headers=headers, timeout=self._timeout
        ) as response:
            wait = response.headers.get("Retry-After", "")
            # The header may hold a date too; our own waits do for that.
            wait_s = min(float(wait), LONGEST_WAIT_S) if wait.isdecimal() else 0.0
            return response.status, wait_s, await response.read()

    def _failure(self, status: int, wait_s: float, content: bytes) -> RequestError | ServerError:
        refusal = read_refusal(status, content)
        if status in {401, 403, 404}:
            return ServerError(f"{self.base_url}: {refusal}; check the API key and the model name")
        if status == 400 and _CACHE_MISS in refusal.lower():
            return _CacheMissError(refusal)
        if status in _RETRIED_STATUSES or status >= 500:
            return _TransientError(refusal, wait_s)
        return RequestError(refusal)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, _TransientError) else 0.0
        return max(asked, self._waits(state))


def _completed(content: bytes) -> Reply:
    try:
        reply = read_reply(content)
    except ValueError as error:
        shown = content[:100].decode("utf-8", "replace")
        raise _TransientError(f"the reply is no chat completion: {shown!r}") from error
    if reply.finish_reason not in _ENDED:
        raise _TransientError(f"the server broke the reply off ({reply.finish_reason})")
    return reply


def _cause(error: BaseException) -> str:
    """The innermost reason, in words."""
    if isinstance(error, TimeoutError):  # its cause is how asyncio ends a wait, no reason
        return "no reply in time"
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__
