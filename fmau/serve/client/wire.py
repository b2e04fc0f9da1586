"""Requests and replies as they travel: the OpenAI chat format, and what vLLM adds to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

_OBJECT = TypeAdapter(dict[str, Any])

SHOWN_CHARS = 300
"""Of a server's words; a page of HTML helps nobody."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The body of one chat request; the client adds the model's name.

    Attributes:
        messages: in the OpenAI format.
        max_tokens: longest reply, in tokens.
        fields: further top-level fields, such as vLLM's own.
        limit_field: what the server calls `max_tokens`; some know "max_completion_tokens" alone.
        session: requests with the same one find the same state on the server (a clip's frames, a
            prefix). A router in front of several servers keeps them together by it.
    """

    messages: list[dict[str, Any]]
    max_tokens: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    limit_field: str = "max_tokens"
    session: str | None = None

    def body(self, model: str) -> bytes:
        """The request's JSON, addressed to `model`."""
        tree = {"model": model, "messages": self.messages, self.limit_field: self.max_tokens}
        return json.dumps(tree | dict(self.fields), separators=(",", ":")).encode()


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


def read_reply(content: bytes) -> Reply:
    """The reply that a chat completion holds.

    Raises:
        ValueError: it is no chat completion.
    """
    completion = _Completion.model_validate_json(content)
    usage = completion.usage or _Usage()
    details = usage.prompt_tokens_details or _Details()
    return Reply(
        text=completion.choices[0].message.content or "",
        finish_reason=completion.choices[0].finish_reason,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=details.cached_tokens,
        completion_tokens=usage.completion_tokens,
    )


def read_models(content: bytes) -> list[ServedModel]:
    """The entries of a model list.

    Raises:
        ValueError: it is no model list.
    """
    cards = _Models.model_validate_json(content).data
    return [ServedModel(card.id, card.root, card.parent) for card in cards]


def read_object(content: bytes) -> dict[str, Any]:
    """The JSON object that a body holds.

    Raises:
        ValueError: it holds none.
    """
    return _OBJECT.validate_json(content)


def read_refusal(status: int, content: bytes) -> str:
    """A refusal in the server's words, shortened: "HTTP 400: this is too long"."""
    try:
        said = _Refusal.model_validate_json(content).text()
    except ValidationError:  # no JSON at all: the page of a proxy
        said = content.decode("utf-8", "replace").strip()
    return f"HTTP {status}: {(said or 'no reason given')[:SHOWN_CHARS]}"


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


class _Refusal(BaseModel):
    """An error as OpenAI and vLLM word it ("error"), or FastAPI ("detail"), or older servers."""

    error: Any = None
    detail: Any = None
    message: Any = None

    def text(self) -> str:
        said = self.error or self.detail or self.message
        return str(said.get("message", said) if isinstance(said, dict) else said or "")
