"""An async client of one OpenAI-compatible chat server that waits out its bad moments.

Transport is aiohttp under the `openai` client: with httpx the same 1,200 requests to an instant
stub took 4.4 seconds of processor time instead of 3.1. Retries are `tenacity`'s rather than the
`openai` client's own, for two reasons: a further attempt may need another body (the clip's payload,
when the server has dropped it), and a reply that is not JSON must be retried too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import openai
from pydantic import BaseModel, Field, ValidationError
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from fmau.errors import ServerError

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0

_PROBE = {"timeout": 5.0}
_CACHE_MISS = "cache miss"
_RETRIED_STATUSES = {408, 409, 429}
_ENDED = {"stop", "length", "content_filter"}
"""Finish reasons that asking again would repeat: the model ended, the limit was reached, a filter
stepped in. A vLLM that is stopped sends what it has with "abort" and HTTP 200; that is none."""

MAX_FAILURES_IN_A_ROW = 24
"""Two clips' worth of questions. So many failures without one reply between them are the server's
or the set-up's fault, and the next thousands would share it."""


class RequestError(Exception):
    """One request got no reply; the text says why, for people."""


class _TransientError(RequestError):
    """A failure that another attempt may not meet."""


class _CacheMissError(_TransientError):
    """The server no longer holds the media item that the request referred to."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The body of one chat request; the client adds the model's name.

    Attributes:
        messages: in the OpenAI format.
        max_tokens: longest reply, in tokens.
        fields: further top-level fields, such as vLLM's own.
        limit_field: what the server calls `max_tokens`; some know "max_completion_tokens" alone.
    """

    messages: list[dict[str, Any]]
    max_tokens: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    limit_field: str = "max_tokens"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Attributes:
        text: the reply, "" if there was none.
        finish_reason: "stop", "length" or "content_filter".
        prompt_tokens, cached_tokens, completion_tokens: as the server counted them, None where
            it does not say.
    """

    text: str
    finish_reason: str | None
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One entry of the server's model list.

    Attributes:
        name: to put into requests.
        root: folder or hub name of the weights, None where the server does not say.
        parent: name of the base model, for an adapter.
    """

    name: str
    root: str | None
    parent: str | None


class ChatClient:
    """Talks to the server at `base_url`; use it as an async context manager.

    Args:
        base_url: of the server, e.g. "http://127.0.0.1:8000", with or without "/v1".
        api_key: None for a server without one.
        timeout_s: patience with one attempt.
        retries: further attempts after a failure that may pass. The wait doubles from half a
            second to 30 s; up to half a second is added at random, so that requests that failed
            together do not come back together.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 300,
        retries: int = 4,
    ) -> None:
        self.base_url = base_url.rstrip("/").removesuffix("/v1")
        self._openai = openai.AsyncOpenAI(
            base_url=f"{self.base_url}/v1",
            api_key=api_key or "none",
            timeout=timeout_s,
            max_retries=0,
            # A proxy of the environment must not come between us and our own server.
            http_client=openai.DefaultAioHttpClient(timeout=timeout_s, trust_env=False),
        )
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TransientError),
            stop=stop_after_attempt(retries + 1),
            wait=wait_exponential_jitter(
                multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S, jitter=FIRST_WAIT_S
            ),
            reraise=True,
        )

    async def ask(
        self, model: str, request: ChatRequest, *, resend: ChatRequest | None = None
    ) -> Reply:
        """Send a request until there is a reply or retries run out.

        Args:
            model: name of the served model.
            resend: what every attempt after the first sends, `request` again by default. After
                a failure the server may have lost what `request` refers to.

        Raises:
            RequestError: refused for its content, or no reply after all attempts.
            ServerError: refused for the key or the model's name, which no other request would
                get past either.
        """
        body = request
        async for attempt in self._retrying.copy():  # one object cannot serve two tasks at once
            with attempt:
                try:
                    return await self._attempt(model, body)
                except _CacheMissError:  # no fault: once more at once, with what was missing
                    return await self._attempt(model, resend or request)
                finally:
                    body = resend or request
        raise AssertionError("tenacity re-raises the last failure")

    async def models(self) -> list[ServedModel]:
        """What the server serves.

        Raises:
            ServerError: no server answers at `base_url`, or not as such a server does.
        """
        try:
            page = await self._openai.models.with_raw_response.list()
            cards = _Models.model_validate_json(page.http_response.content).data
        except openai.APIStatusError as error:
            raise ServerError(
                f"{self.base_url}: {_refusal(error)}; check the address and the API key"
            ) from error
        except openai.APIConnectionError as error:
            raise ServerError(
                f"{self.base_url}: no server answers ({_cause(error)}); start one with fmau serve"
            ) from error
        except ValidationError as error:
            raise ServerError(f"{self.base_url}: this is no OpenAI-compatible server") from error
        return [ServedModel(card.id, card.root, card.parent) for card in cards]

    async def is_alive(self) -> bool:
        """Whether anything but a server error comes back from the server's health page."""
        try:
            await self._openai.get(f"{self.base_url}/health", cast_to=str, options=_PROBE)
        except openai.APIStatusError as error:
            return bool(error.status_code < 500)  # not every server has such a page
        except openai.APIConnectionError:
            return False
        return True

    async def metrics(self) -> str | None:
        """The text of the server's Prometheus page, None if there is none."""
        try:
            text = await self._openai.get(f"{self.base_url}/metrics", cast_to=str, options=_PROBE)
        except openai.APIError:
            return None
        return str(text)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()

    async def _attempt(self, model: str, request: ChatRequest) -> Reply:
        try:
            response = await self._openai.chat.completions.with_raw_response.create(
                model=model,
                messages=request.messages,
                extra_body={request.limit_field: request.max_tokens, **request.fields},
            )
            content = response.http_response.content
        except openai.APIStatusError as error:
            raise self._status_failure(error) from error
        except openai.APIConnectionError as error:  # time-outs are among them
            raise _TransientError(f"no reply: {_cause(error)}") from error
        try:
            reply = _Completion.model_validate_json(content).reply()
        except ValidationError as error:
            shown = content[:100].decode("utf-8", "replace")
            raise _TransientError(f"the reply is no chat completion: {shown!r}") from error
        if reply.finish_reason not in _ENDED:
            raise _TransientError(f"the server broke the reply off ({reply.finish_reason})")
        return reply

    def _status_failure(self, error: Any) -> RequestError | ServerError:
        refusal = _refusal(error)
        if error.status_code in {401, 403, 404}:
            return ServerError(f"{self.base_url}: {refusal}; check the API key and the model name")
        if error.status_code == 400 and _CACHE_MISS in refusal.lower():
            return _CacheMissError(refusal)
        if error.status_code in _RETRIED_STATUSES or error.status_code >= 500:
            return _TransientError(refusal)
        return RequestError(refusal)


class FailureWatch:
    """Tells a request that failed from a server that did; one for all requests to a server."""

    def __init__(self, client: ChatClient) -> None:
        self._client = client
        self._in_a_row = 0

    def replied(self) -> None:
        """A request got its reply."""
        self._in_a_row = 0

    async def check(self, error: RequestError) -> None:
        """See that the server is still there after a request failed.

        Raises:
            ServerError: it is gone, so the request is no failure of its own.
        """
        if not await self._client.is_alive():
            raise ServerError(
                f"{self._client.base_url}: the server is gone ({error}); start it again, then the "
                "same command goes on where it stopped"
            )

    def failed(self, what: str, error: RequestError) -> None:
        """Count a request that got no reply.

        Args:
            what: was asked about, e.g. a qid.

        Raises:
            ServerError: everything fails, so the next thousands would too.
        """
        self._in_a_row += 1
        if self._in_a_row >= MAX_FAILURES_IN_A_ROW:
            raise ServerError(
                f"{self._client.base_url}: the last {self._in_a_row} requests failed, the latest "
                f"({what}) with: {error}"
            )


class _Model(BaseModel):
    id: str
    root: str | None = None
    parent: str | None = None


class _Models(BaseModel):
    data: list[_Model]


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Details(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Completion(BaseModel):
    """The part of a chat completion that is used; what else a server sends is its own affair."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None

    def reply(self) -> Reply:
        usage = self.usage or _Usage()
        details = usage.prompt_tokens_details or _Details()
        return Reply(
            text=self.choices[0].message.content or "",
            finish_reason=self.choices[0].finish_reason,
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=details.cached_tokens,
            completion_tokens=usage.completion_tokens,
        )


def _refusal(error: Any) -> str:
    said = error.body.get("message") if isinstance(error.body, dict) else error.body
    return f"HTTP {error.status_code}: {str(said or 'no reason given')[:300]}"


def _cause(error: BaseException) -> str:
    """The innermost reason; the `openai` client calls a refused connection a time-out."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__
