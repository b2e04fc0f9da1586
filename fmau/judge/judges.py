"""Read judge files: one complete YAML file per judge, so that every run is judged in the same way.

    name: qwen3_32b
    kind: llm
    served: {model: ..., serve: ...}    # a model that fmau serves, or
    remote: {base_url: ..., model: ...} # a model behind an OpenAI-compatible API
    rubric: ma_bench                    # prompts/rubrics/ma_bench.yaml

The other kind is `kind: embedded`: a rule without a model, which is only a proxy for a judge.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fmau.core.errors import RecipeError
from fmau.core.records import LEVELS
from fmau.core.shipped import find
from fmau.judge.rubric import Rubric, load_rubric
from fmau.recipe import Block, Price, RemoteBlock, TextModel, checked, read_tree
from fmau.runs import model_identity

FORMAT_VERSION = 2
"""Increase it when fmau builds judge requests or reads replies in another way."""

EMBEDDED_VERSION = 1
"""Increase it when the embedded rule gives other scores."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Remote(RemoteBlock):
    """A judge's model behind an OpenAI-compatible API.

    Attributes:
        model: the model's name in requests; choose the name of a dated version.
        revision: further text that identifies the model's version, for the manifest.
    """

    key_variable: str = "FMAU_JUDGE_API_KEY"
    model: str
    revision: str | None = None


class LlmJudge(Block):
    """An LLM as a judge.

    Attributes:
        name: the judge's name in the verdicts of a run.
        served, remote: the model, served by fmau or behind an API; exactly one of them.
        rubric: name of a rubric that comes with fmau, or path of a rubric file.
        mode: "per_level" asks about one level per call, so that no score influences another;
            "joint" asks about all three in one call, for a third of the price.
        samples: opinions per answer and level; the median counts, the spread is reported.
        temperature: 0 for repeatable verdicts; None for an API without this field.
        max_tokens: longest reply, in tokens.
        rationale_chars: longest rationale, in characters; None for no limit.
        fields: further request fields, e.g. {chat_template_kwargs: {enable_thinking: false}}. A
            field that is null is left out of the request: {seed: null, response_format: null}.
        concurrency: number of calls in flight.
        request_timeout_s, retries: timeout of one attempt, and attempts after the first.
        price: prices of the API, for the estimate and the summary.
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
        """The model's name in requests."""
        if self.remote is not None:
            return self.remote.model
        assert self.served is not None
        return self.served.model.path

    @property
    def opinions(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """The calls about one answer, each as (levels to ask about, number of the sample)."""
        asked = [LEVELS] if self.mode == "joint" else [(level,) for level in LEVELS]
        return tuple((levels, sample) for levels in asked for sample in range(self.samples))

    def conditions(self, rubric: Rubric) -> dict[str, Any]:
        """Everything that can change a verdict, as a JSON-able dict.

        Raises:
            RecipeError: the model is a local folder without weights.
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
        rubric_tree = rubric.model_dump(mode="json", exclude_defaults=True)
        return {"format": FORMAT_VERSION, "model": model, "rubric": rubric_tree, **own}


class EmbeddedJudge(Block):
    """The rule of `fmau.judge.embedded`: no model, no network, and only a proxy for a judge.

    Attributes:
        name: the judge's name in the verdicts of a run.
    """

    name: Name = "embedded"
    kind: Literal["embedded"]

    @property
    def opinions(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """One call about each answer: the rule scores all levels at once, and only once."""
        return ((LEVELS, 0),)

    def conditions(self) -> dict[str, Any]:
        """Everything that can change a verdict."""
        return {"format": FORMAT_VERSION, "rule": EMBEDDED_VERSION}


Judge = LlmJudge | EmbeddedJudge

EMBEDDED = EmbeddedJudge(kind="embedded")


def load_judge(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Judge:
    """Read and check a judge's file.

    Args:
        name_or_path: name of a judge that comes with fmau, e.g. "qwen3_32b", or path of a file.
        overrides: "key=value" texts that replace values of the file.

    Raises:
        RecipeError: no such judge, not YAML, or unknown keys and bad values (all are listed); for
            an LLM judge also a rubric that is missing or not usable.
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
            raise RecipeError(f"{path}: kind is {other!r}; it must be llm or embedded")
