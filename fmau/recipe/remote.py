"""A model behind an OpenAI-compatible API: where it is, how it is asked, what it costs.

Recipes (`api`) and judges (`remote`) share these blocks. None of them holds the API key, because
they are written into manifests; they name the environment variable that does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from fmau.recipe.blocks import DECODING, Block

CHARS_PER_TOKEN = 4.0
"""Rough average for English with the tokenizers of current models; estimates print it."""

_OURS = frozenset({"max_completion_tokens", "max_tokens", "messages", "model", "n", "stream"})
"""Request fields that fmau sets itself, or whose replies it could not read or account for."""


class RemoteBlock(Block):
    """An OpenAI-compatible API.

    Attributes:
        base_url: address of the API, to which "/chat/completions" is added; its path and query
            (`?api-version=...`) stay as given. Without a path it gets "/v1". No name and password:
            it is written into manifests.
        key_variable: environment variable with the API key.
        key_header: header in which the key is sent: "Authorization" (as "Bearer KEY"), or another
            one, such as Azure's "api-key".
        limit_field: the API's name for the token limit.
    """

    base_url: str
    key_variable: str = "FMAU_API_KEY"
    key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "Authorization"
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, address: str) -> str:
        if re.match(r"https?://[^/?#@]+([/?#]|$)", address) is None:
            raise ValueError(
                "must begin with http:// or https:// and a host, without a name and a password: it "
                "is written into manifests"
            )
        return address

    @property
    def place(self) -> str:
        """Host, port and path: what decides which model a name means. Two ways to write the same
        address give the same place."""
        parts = urlsplit(self.base_url)
        path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
        return parts.netloc.lower() + (path or "/v1")


class Price(Block):
    """The prices of an API, in US dollars per million tokens.

    Attributes:
        input, output: prices of prompt tokens and of reply tokens.
        cached_input: price of prompt tokens from the API's cache; None if it is the same as
            `input`.
    """

    input: Annotated[float, Field(ge=0)]
    cached_input: Annotated[float, Field(ge=0)] | None = None
    output: Annotated[float, Field(ge=0)]

    def of(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        """The price of these tokens in US dollars; `cached_tokens` are part of `input_tokens`."""
        cached = self.input if self.cached_input is None else self.cached_input
        fresh = input_tokens - cached_tokens
        return (fresh * self.input + cached_tokens * cached + output_tokens * self.output) / 1e6


class ApiBlock(RemoteBlock):
    """The API that answers a recipe's questions; `model.path` is its name of the model.

    Attributes:
        detail: how closely the API looks at an image; None to leave it to the API.
        fields: further request fields, e.g. {reasoning_effort: low}. A field that is null is left
            out of the request: {temperature: null, seed: null}. Without them the temperature and
            the seed are 0.
        concurrency: highest number of requests in flight.
        image_tokens: tokens of one frame, for the estimate; None to assume them.
        price: prices of the API, for the estimate and the summary.
    """

    detail: Literal["low", "high", "auto"] | None = None
    fields: dict[str, Any] = Field(default_factory=dict)
    concurrency: Annotated[int, Field(ge=1)] = 16
    image_tokens: Annotated[int, Field(ge=1)] | None = None
    price: Price | None = None

    @field_validator("fields")
    @classmethod
    def _not_ours(cls, fields: dict[str, Any]) -> dict[str, Any]:
        if wrong := sorted(_OURS & fields.keys()):
            raise ValueError(
                f"{', '.join(wrong)} cannot be set here; the model is model.path, the limit "
                "answer.max_tokens_open under the name limit_field"
            )
        return fields

    @property
    def decoding(self) -> Mapping[str, Any]:
        """The request fields with which every answer is decoded."""
        usual = {name: DECODING[name] for name in ("temperature", "seed")}
        return {name: value for name, value in (usual | self.fields).items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEstimate:
    """The expected tokens of some requests, and what they would cost.

    Attributes:
        input_tokens: tokens of all prompts.
        shared_tokens: those of them with which an earlier request begins too; a prompt cache need
            not compute them again, and an API with one may charge less for them.
        output_tokens: likely tokens of all replies, without thinking.
        most_output_tokens: tokens if every reply reaches the limit.
        price: prices of the API; None if they are not known.
    """

    input_tokens: int
    shared_tokens: int
    output_tokens: int
    most_output_tokens: int
    price: Price | None

    @property
    def dollars(self) -> float | None:
        """Likely cost, if all shared tokens are found in a cache; None without a price."""
        tokens = (self.input_tokens, self.shared_tokens, self.output_tokens)
        return None if self.price is None else self.price.of(*tokens)

    @property
    def most_dollars(self) -> float | None:
        """The cost if none is found and every reply reaches the limit; None without a price."""
        tokens = (self.input_tokens, 0, self.most_output_tokens)
        return None if self.price is None else self.price.of(*tokens)

    def price_lines(self) -> list[str]:
        """The cost in one line, for people; none without a price."""
        if self.price is None:
            return []
        return [f"about {self.dollars:.2f} US dollars, {self.most_dollars:.2f} at most"]


def text_tokens(text: str) -> int:
    """Estimated tokens of a text, from the number of its characters."""
    return round(len(text) / CHARS_PER_TOKEN)
