"""An async client of one OpenAI-compatible chat server, with retries. All requests use it.

It uses plain aiohttp: a benchmark is 12,000 small requests, and a slow client would limit the
server (docs/speed.md has measurements). It uses `tenacity` for retries, because a later attempt may
need another body (with the clip's frames, if the server has dropped them), and a reply that is not
JSON must be retried too.
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
from fmau.serve.client.address import CHAT, api_url, proxy_of, server_url
from fmau.serve.client.failures import (
    CacheMissError,
    NoServerError,
    RequestError,
    TransientError,
)
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
"""Shorter than the servers' own timeout (uvicorn: 5 s), so that no server closes a connection on
which a request is on its way."""

PROBE_TIMEOUT_S = 5.0
_CACHE_MISS = "cache miss"
_RETRIED_STATUSES = {408, 409, 429}
_TOO_MANY = {429, 503}
_BROKEN_OFF = {"abort", "error", "cancelled"}
"""Finish reasons of a reply that is not complete. A vLLM that is being stopped sends its partial
reply with "abort" and HTTP 200; such a reply is retried."""

Resend = Callable[[], ChatRequest]


class ChatClient:
    """Sends requests to the server at `base_url`; use it as an async context manager.

    Args:
        base_url: address of the server or API, see `fmau.serve.client.address`.
        api_key: None for a server without a key.
        key_header: header of the key; "Authorization" gets "Bearer " before it.
        timeout_s: timeout of one attempt, in seconds.
        retries: attempts after the first, for failures that may pass. The wait doubles from half
            a second to 30 s. Up to half a second is added at random, so that requests that failed
            together are not repeated together. A longer wait named by the server (Retry-After) is
            respected, up to 30 s.
        in_flight: highest number of requests at once; see `RateLimiter`.

    Attributes:
        base_url: the address without "/v1", for paths that are not the API's, such as "/health".
        limiter: limits the requests in flight.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        key_header: str = "Authorization",
        timeout_s: float = 300,
        retries: int = 4,
        in_flight: int = 256,
    ) -> None:
        self.base_url = server_url(base_url)
        self.limiter = RateLimiter(in_flight)
        self._given = base_url
        self._chat_url = api_url(base_url, CHAT)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        bearer = "Bearer " if key_header == "Authorization" else ""
        self._headers = {key_header: f"{bearer}{api_key}"} if api_key else {}
        self._key = api_key
        self._waits = wait_exponential_jitter(
            multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S, jitter=FIRST_WAIT_S
        )
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(retries + 1),
            wait=self._wait,
            reraise=True,
        )

    async def ask(self, model: str, request: ChatRequest, *, resend: Resend | None = None) -> Reply:
        """Send a request until there is a reply or all retries are used.

        Args:
            model: name of the served model.
            resend: builds the request for every attempt after the first; default: `request` again.
                After a failure the server may have lost the clip that `request` refers to.

        Raises:
            RequestError: the server refused the content, or gave no reply after all attempts.
            ServerError: the server refused the key or the model's name, so it would refuse every
                other request too.
        """
        again = resend or (lambda: request)
        async for attempt in self._retrying.copy():  # one object cannot serve two tasks at once
            with attempt:
                is_first = attempt.retry_state.attempt_number == 1
                try:
                    return await self._attempt(model, request if is_first else again())
                except CacheMissError:  # normal: send it again at once, with the clip's frames
                    return await self._attempt(model, again())
        raise AssertionError("tenacity re-raises the last failure")

    async def models(self) -> list[ServedModel]:
        """The models and adapters that the server serves.

        Raises:
            NoServerError: nothing listens at `base_url`.
            ServerError: the server does not answer in time, refuses, or is another kind of server.
        """
        try:
            status, content = await self._get(api_url(self._given, "/models"), self._timeout)
        except (aiohttp.ClientError, TimeoutError) as error:
            refused = isinstance(error, aiohttp.ClientConnectorError)
            raise (NoServerError if refused else ServerError)(
                f"{self.base_url}: no server answers ({_cause(error)}); start one with fmau serve"
            ) from error
        if status >= 300:
            refusal = self._refusal(status, content)
            raise ServerError(f"{self.base_url}: {refusal}; check the address and the API key")
        try:
            return read_models(content)
        except ValueError as error:
            raise ServerError(
                f"{self.base_url}: this is not an OpenAI-compatible server; end that program, "
                "or choose another port with --set serve.port=NUMBER"
            ) from error

    async def is_alive(self) -> bool:
        """Whether the server's health page answers without a server error (status 5xx)."""
        try:
            timeout = aiohttp.ClientTimeout(PROBE_TIMEOUT_S)
            status, _ = await self._get(f"{self.base_url}/health", timeout)
        except (aiohttp.ClientError, TimeoutError):
            return False
        return status < 500  # some servers have no such page and answer 404

    async def metrics(self, server: str | None = None) -> str | None:
        """The text of a server's Prometheus page; None if there is none.

        Args:
            server: address of the server; default: `base_url`.
        """
        timeout = aiohttp.ClientTimeout(PROBE_TIMEOUT_S)
        try:
            status, content = await self._get(f"{server or self.base_url}/metrics", timeout)
        except (aiohttp.ClientError, TimeoutError):
            return None
        return content.decode("utf-8", "replace") if status == 200 else None

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a JSON object and return the reply's, once: without retries or rate limit.

        Args:
            path: path of the request, e.g. "/detokenize".

        Raises:
            RequestError: the server refused, gave no reply, or replied with no JSON object.
        """
        url = f"{self.base_url}{path}"
        try:
            async with self._http.post(
                url, json=body, timeout=self._timeout, allow_redirects=False
            ) as response:
                status, content = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RequestError(f"no reply: {_cause(error)}") from error
        if status >= 300:
            raise RequestError(self._refusal(status, content))
        try:
            return read_object(content)
        except ValueError as error:
            raise RequestError(f"the reply is not a JSON object ({error})") from error

    async def __aenter__(self) -> Self:
        # limit=0, because the limiter already bounds the requests in flight. Not trust_env, which
        # would use a proxy for our own server, and names and passwords of ~/.netrc.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S)
        self._http = aiohttp.ClientSession(
            connector=connector, headers=self._headers, proxy=proxy_of(self._given)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def _get(self, url: str, timeout: aiohttp.ClientTimeout) -> tuple[int, bytes]:
        async with self._http.get(url, timeout=timeout, allow_redirects=False) as response:
            return response.status, await response.read()

    async def _attempt(self, model: str, request: ChatRequest) -> Reply:
        async with self.limiter.turn() as granted:
            try:
                status, wait_s, content = await self._post(model, request)
            except TimeoutError as error:
                self.limiter.too_many(granted)
                raise TransientError("no reply in time") from error
            except aiohttp.ClientError as error:
                if isinstance(error, aiohttp.ClientConnectorError) and not self.limiter.answers:
                    raise NoServerError(
                        f"{self.base_url}: no server answers ({_cause(error)}); check the address, "
                        "or start it"
                    ) from error
                raise TransientError(f"no reply: {_cause(error)}") from error
            if status in _TOO_MANY:
                self.limiter.too_many(granted)
            if status >= 300:
                raise self._failure(status, wait_s, content)
            reply = _completed(content, self._hidden)
            self.limiter.answered()
            return reply

    async def _post(self, model: str, request: ChatRequest) -> tuple[int, float, bytes]:
        """Returns status, seconds that the server asks us to wait, and body."""
        headers = {"Content-Type": "application/json"}
        if request.session is not None:
            headers["X-Session-ID"] = request.session
        async with self._http.post(
            self._chat_url,
            data=request.body(model),
            headers=headers,
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            wait = response.headers.get("Retry-After", "")
            # The header may also be a date; then we use our own waits.
            wait_s = min(float(wait), LONGEST_WAIT_S) if wait.isdecimal() else 0.0
            return response.status, wait_s, await response.read()

    def _refusal(self, status: int, content: bytes) -> str:
        if status < 400:  # followed, it could take a key header of an API's own to any host
            return f"HTTP {status}: it redirects to another address; give that one, if you trust it"
        return read_refusal(status, content, self._hidden)

    def _hidden(self, text: str) -> str:
        """A server's text without the key: some servers repeat the key that they refuse."""
        return text.replace(self._key, "[the key]") if self._key else text

    def _failure(self, status: int, wait_s: float, content: bytes) -> RequestError | ServerError:
        refusal = self._refusal(status, content)
        if status in {401, 404}:
            return ServerError(f"{self.base_url}: {refusal}; check the API key and the model name")
        if status < 400:
            return ServerError(f"{self.base_url}: {refusal}")
        if status == 400 and _CACHE_MISS in refusal.lower():
            return CacheMissError(refusal)
        if status in _RETRIED_STATUSES or status >= 500:
            return TransientError(refusal, wait_s)
        return RequestError(refusal)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, TransientError) else 0.0
        return max(asked, self._waits(state))


def _completed(content: bytes, hidden: Callable[[str], str]) -> Reply:
    try:
        reply = read_reply(content)
    except ValueError as error:
        shown = hidden(content.decode("utf-8", "replace"))[:100]
        raise TransientError(f"the reply is not a chat completion: {shown!r}") from error
    nothing = reply.finish_reason is None and not (reply.text or reply.refusal)
    if nothing or reply.finish_reason in _BROKEN_OFF:
        raise TransientError(f"the server cut the reply short ({reply.finish_reason})")
    return reply


def _cause(error: BaseException) -> str:
    """The text of the innermost cause of an error."""
    if isinstance(error, TimeoutError):  # its own cause is an internal error of asyncio
        return "no reply in time"
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__
