"""Who judges: one complete YAML file per judge, so that every run is judged in the same way.

    name: qwen3_32b
    kind: llm
    served: {model: ..., serve: ...}    # a model that fmau serves, or
    remote: {base_url: ..., model: ...} # one behind an OpenAI-compatible API
    rubric: ma_bench                    # prompts/rubrics/ma_bench.yaml

or `kind: embedded`, the rule that needs no model and stands in for a judge as a proxy.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fmau.core.errors import RecipeError
from fmau.core.records import LEVELS
from fmau.core.shipped import find
from fmau.judge.rubric import Rubric, load_rubric
from fmau.recipe import Block, TextModel, checked, read_tree
from fmau.runs import model_identity

FORMAT_VERSION = 1
"""Raise it when fmau comes to build judge requests or read replies differently."""

EMBEDDED_VERSION = 1
"""Raise it when the embedded rule comes to score differently."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Remote(Block):
    """A model behind an OpenAI-compatible API.

    Attributes:
        base_url: with or without "/v1".
        model: name to put into requests; pick one that names a dated version.
        revision: what else pins the model, noted in the manifest.
        key_variable: environment variable that holds the API key.
        limit_field: what the API calls the token limit.
    """

    base_url: Annotated[str, Field(pattern=r"^https?://")]
    model: str
    revision: str | None = None
    key_variable: str = "FMAU_JUDGE_API_KEY"
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


class Price(Block):
    """What an API charges, in US dollars per million tokens.

    Attributes:
        cached_input: None if tokens from the provider's cache cost as much as others.
    """

    input: Annotated[float, Field(ge=0)]
    cached_input: Annotated[float, Field(ge=0)] | None = None
    output: Annotated[float, Field(ge=0)]


class LlmJudge(Block):
    """An LLM as a judge.

    Attributes:
        name: under which its verdicts stand in a run.
        served, remote: where the model is; exactly one of them.
        rubric: the name of one that comes with fmau, or a path.
        mode: "per_level" asks about one level a call, so that no score leans on another; "joint"
            asks about all three in one call, at a third of the price.
        samples: opinions per answer and level; the median counts, the spread is reported.
        temperature: 0 for a judge that repeats itself; None for an API that takes none.
        max_tokens: longest reply.
        rationale_chars: longest rationale; None for no limit.
        fields: further request fields, e.g. {chat_template_kwargs: {enable_thinking: false}}.
        concurrency: calls at the same time.
        request_timeout_s, retries: patience with one call.
        price: of the API, for the estimate and the account.
    """

    name: Name
    kind: Literal["llm"]
    served: TextModel | None = None
    remote: Remote | None = None
    rubric: str = "ma_bench"
    mode: Literal["per_level", "joint"] = "per_level"
    samples: Annotated[int, Field(ge=1)] = 1
    temperature: Annotated[float, Field(ge=0)] | None = 0.0
    max_tokens: Annotated[int, Field(ge=1)] = 512
    rationale_chars: Annotated[int, Field(ge=1)] | None = None
    fields: dict[str, Any] = Field(default_factory=dict)
    concurrency: Annotated[int, Field(ge=1)] = 16
    request_timeout_s: Annotated[float, Field(gt=0)] = 300
    retries: Annotated[int, Field(ge=0)] = 4
    price: Price | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.served is None) == (self.remote is None):
            raise ValueError("give either served or remote")
        return self

    @property
    def model(self) -> str:
        """The name to put into requests."""
        if self.remote is not None:
            return self.remote.model
        assert self.served is not None
        return self.served.model.path

    @property
    def opinions(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """The calls about one answer: levels asked about, and number of the sample."""
        asked = [LEVELS] if self.mode == "joint" else [(level,) for level in LEVELS]
        return tuple((levels, sample) for levels in asked for sample in range(self.samples))

    def conditions(self, rubric: Rubric) -> dict[str, Any]:
        """Everything that can change a verdict, as a JSON-able tree.

        Raises:
            RecipeError: a local model folder without weights.
        """
        if self.remote is not None:
            keep = {"base_url", "model", "revision"}
            model = self.remote.model_dump(mode="json", include=keep)
        else:
            assert self.served is not None
            model = {**model_identity(self.served.model), "dtype": self.served.model.dtype}
        own = self.model_dump(
            mode="json",
            include={"mode", "temperature", "max_tokens", "rationale_chars", "fields"},
        )
        rubric_tree = rubric.model_dump(mode="json")
        return {"format": FORMAT_VERSION, "model": model, "rubric": rubric_tree, **own}


class EmbeddedJudge(Block):
    """The rule of `fmau.judge.embedded`: no model, no network, and only a proxy for a judge.

    Attributes:
        name: under which its verdicts stand in a run.
    """

    name: Name = "embedded"
    kind: Literal["embedded"]

    @property
    def opinions(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """One pass over an answer scores all levels; there are no second opinions."""
        return ((LEVELS, 0),)

    def conditions(self) -> dict[str, Any]:
        """Everything that can change a verdict."""
        return {"format": FORMAT_VERSION, "rule": EMBEDDED_VERSION}


Judge = LlmJudge | EmbeddedJudge

EMBEDDED = EmbeddedJudge(kind="embedded")


def load_judge(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Judge:
    """Read and check a judge's file.

    Args:
        name_or_path: of a judge that comes with fmau, e.g. "qwen3_32b", or the path of a YAML file.
        overrides: "key=value" texts that replace values.

    Raises:
        RecipeError: no such judge, not YAML, unknown keys or bad values, all listed; for an LLM
            judge also a rubric that is missing or not usable.
    """
    path = find("judge", name_or_path)
    tree = read_tree(path)
    match tree.get("kind"):
        case "llm":
            judge = checked(path, tree, LlmJudge, overrides)
            load_rubric(judge.rubric)
            return judge
        case "embedded":
            return checked(path, tree, EmbeddedJudge, overrides)
        case other:
            raise RecipeError(f"{path}: kind is {other!r}; a judge's is llm or embedded")
