"""The JSON of requests and replies: the OpenAI chat format with vLLM's additions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

_OBJECT = TypeAdapter(dict[str, Any])

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
}
"""Other servers' words for the finish reasons of OpenAI, in small letters."""

SHOWN_CHARS = 300
"""Length at which a server's error text is cut; it may be a whole HTML page."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The body of one chat request; the client adds the model's name.

    Attributes:
        messages: the conversation in the OpenAI format.
        max_tokens: longest reply, in tokens.
        fields: further top-level fields, such as vLLM's own.
        limit_field: the server's name for `max_tokens`; some accept only "max_completion_tokens".
        session: key of requests that share state on the server (a clip's frames, a prefix). A
            router sends requests with the same key to the same server.
    """

    messages: list[dict[str, Any]]
    max_tokens: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    limit_field: str = "max_tokens"
    session: str | None = None

    def body(self, model: str) -> bytes:
        """The request's JSON for the model named `model`."""
        tree = {"model": model, "messages": self.messages, self.limit_field: self.max_tokens}
        return json.dumps(tree | dict(self.fields), separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to one request.

    Attributes:
        text: the model's text; "" if there is none.
        finish_reason: "stop", "length", "content_filter", or another word of the server; None if it
            gives none.
        refusal: why the model declined, from servers that say so in a field of its own.
        prompt_tokens, cached_tokens, completion_tokens: the server's counts; None if it does not
            report them.
        thinking: what the model thought, from servers that keep it out of the text; else None.
        thinking_tokens: the server's count of it.
        logprobs: log-probabilities of the first token and of those named in the request, by token
            id; None if they were not asked for.
    """

    text: str
    finish_reason: str | None
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None
    refusal: str | None = None
    thinking: str | None = None
    thinking_tokens: int | None = None
    logprobs: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One entry of the server's model list.

    Attributes:
        name: the model's name in requests.
        root: folder or hub name of the weights; None if the server does not report it.
        parent: for an adapter, the name of its base model; None for a base model.
    """

    name: str
    root: str | None
    parent: str | None


def read_reply(content: bytes) -> Reply:
    """Read a chat completion.

    Raises:
        ValueError: the body is not a chat completion.
    """
    completion = _Completion.model_validate_json(content)
    usage = completion.usage or _Usage()
    details = usage.prompt_tokens_details or _Details()
    message = completion.choices[0].message
    reason = completion.choices[0].finish_reason
    return Reply(
        text=message.text(),
        finish_reason=_FINISH.get(reason.lower(), reason.lower()) if reason else None,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=details.cached_tokens,
        completion_tokens=usage.generated(),
        refusal=message.refusal or None,
        thinking=message.thinking(),
        thinking_tokens=(usage.completion_tokens_details or _Details()).reasoning_tokens,
        logprobs=completion.choices[0].first_logprobs(),
    )


def read_models(content: bytes) -> list[ServedModel]:
    """Read the entries of a model list.

    Raises:
        ValueError: the body is not a model list.
    """
    cards = _Models.model_validate_json(content).data
    return [ServedModel(card.id, card.root, card.parent) for card in cards]


def read_object(content: bytes) -> dict[str, Any]:
    """Read a body that is a JSON object.

    Raises:
        ValueError: the body is not a JSON object.
    """
    return _OBJECT.validate_json(content)


def read_refusal(status: int, content: bytes, hidden: Callable[[str], str] = str) -> str:
    """The server's error message, shortened, e.g. "HTTP 400: this is too long".

    Args:
        hidden: takes secrets out of the message, before it is cut: half a key is one too.
    """
    try:
        said = _Refusal.model_validate_json(content).text()
    except ValidationError:  # not JSON, e.g. the HTML page of a proxy
        said = content.decode("utf-8", "replace").strip()
    return f"HTTP {status}: {hidden(said or 'no reason given')[:SHOWN_CHARS]}"


class _Model(BaseModel):
    id: str
    root: str | None = None
    parent: str | None = None


class _Models(BaseModel):
    data: list[_Model]


class _Part(BaseModel):
    text: str | None = None


class _Message(BaseModel):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    reasoning: Any = None
    reasoning_content: Any = None

    def thinking(self) -> str | None:
        """The text of the thinking; some servers send other things under its names."""
        texts = (self.reasoning, self.reasoning_content)
        return next((text for text in texts if isinstance(text, str) and text), None)

    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or ""


class _Scored(BaseModel):
    token: str
    logprob: float


class _Token(_Scored):
    top_logprobs: list[_Scored] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: Any = None

    def first_logprobs(self) -> dict[int, float] | None:
        """Log-probabilities at the first token, where tokens are written "token_id:32"; None if
        there are none in this form."""
        try:
            tokens = _Logprobs.model_validate(self.logprobs).content
        except ValidationError:
            return None
        if not tokens:
            return None
        first = tokens[0]
        scored = [(one.token.removeprefix("token_id:"), one.logprob) for one in first.top_logprobs]
        return {int(token): logprob for token, logprob in scored if token.isdecimal()}


class _Details(BaseModel):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    total_tokens: int | None = None

    def generated(self) -> int | None:
        """Tokens that the model generated. Some APIs count its thinking in the total alone."""
        counts = (self.prompt_tokens, self.completion_tokens, self.total_tokens)
        match counts:
            case (int(prompt), int(reply), int(total)):
                return max(reply, total - prompt)
        return self.completion_tokens


class _Completion(BaseModel):
    """The fields of a chat completion that fmau uses; all others are ignored."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _Refusal(BaseModel):
    """An error body: of OpenAI and vLLM ("error"), FastAPI ("detail") or older servers
    ("message")."""

    error: Any = None
    detail: Any = None
    message: Any = None

    def text(self) -> str:
        said = self.error or self.detail or self.message
        return str(said.get("message", said) if isinstance(said, dict) else said or "")
