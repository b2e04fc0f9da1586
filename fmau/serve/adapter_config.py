"""Reads an adapter's configuration, and refuses what vLLM cannot apply.

vLLM 0.32 loads adapters in PEFT's format. Some parts of an adapter it cannot apply: it refuses them
late, or it ignores them with only a log line, and then the base model answers in place of the
adapter without an error.
"""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fmau.core.errors import RecipeError, problems_of
from fmau.core.parsing import parse_json

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM allows for --max-lora-rank."""

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

LORA = "LORA"
"""PEFT's name of the only type of adapter that fmau trains and serves."""

UNSUPPORTED = {
    "use_dora": "DoRA",
    "lora_bias": "biases of the updates",
    "modules_to_save": "modules trained in full",
    "trainable_token_indices": "trained tokens",
    "alora_invocation_tokens": "updates that begin at a token (aLoRA)",
    "layer_replication": "replicated layers",
    "target_parameters": "updates of bare parameters",
    "use_qalora": "QALoRA",
    "use_bdlora": "BD-LoRA",
}
"""Key of an adapter's configuration -> what vLLM cannot apply if the key is set."""

PLAIN_STARTS = {"gaussian", "eva", "orthogonal", "mica", "lora_ga"}
"""Values of init_lora_weights that leave the base model's weights as they are. With the others,
PEFT changes them when it loads the adapter, and a server does not."""

Rank = Annotated[int, Field(ge=1, strict=True)]
Alpha = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class AdapterConfig(BaseModel):
    """What fmau reads of an `adapter_config.json`; PEFT writes many more keys.

    Attributes:
        r, rank_pattern: rank of the updates; pattern of layer paths -> rank of these layers.
        lora_alpha, alpha_pattern: the same for alpha; an update is scaled by alpha / rank.
        target_modules: names of the adapted layers. PEFT shortens full paths to suffixes, so they
            do not tell which tower a layer belongs to.
        bias: which biases were trained.
        init_lora_weights: how the updates started.
        base_model_name_or_path, revision: the base model.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    r: Rank
    lora_alpha: Alpha
    target_modules: str | list[str]
    rank_pattern: dict[str, Rank] | None = None
    alpha_pattern: dict[str, Alpha] | None = None
    bias: str = "none"
    init_lora_weights: bool | str | None = True
    base_model_name_or_path: str | None = None
    revision: str | None = None

    @field_validator("rank_pattern", "alpha_pattern")
    @classmethod
    def _patterns(cls, patterns: dict[str, Any] | None) -> dict[str, Any] | None:
        for pattern in patterns or {}:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a pattern: {error}") from None
        return patterns

    def rank_of(self, path: str) -> int:
        """The rank of a layer's update, by PEFT's rule: the first pattern that fits the end."""
        for pattern, rank in (self.rank_pattern or {}).items():
            if re.match(rf"(.*\.)?({pattern})$", path):
                return rank
        return self.r

    @property
    def largest_rank(self) -> int:
        """The largest rank that the configuration gives to any layer."""
        return max([self.r, *(self.rank_pattern or {}).values()])


def read_config(folder: Path) -> AdapterConfig:
    """Read an adapter's configuration.

    Raises:
        RecipeError: the folder has no adapter, its configuration is damaged, or it is of another
            type than LoRA.
    """
    path = folder / CONFIG
    try:
        tree = parse_json(path.read_text("utf-8"))
    except FileNotFoundError:
        raise RecipeError(
            f"{folder}: no {CONFIG}, so this is not an adapter; give the folder that training "
            "wrote, RUN/adapter"
        ) from None
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from None
    kind = tree.get("peft_type") if isinstance(tree, dict) else LORA
    if kind != LORA:
        raise RecipeError(f"{path}: peft_type is {kind!r}, not {LORA!r}; give a LoRA adapter")
    try:
        config = AdapterConfig.model_validate(tree)
    except ValidationError as error:
        raise RecipeError(
            f"{path}: {problems_of(error, AdapterConfig)[0]}; the file is damaged or was not "
            "written by PEFT, copy the adapter again"
        ) from None
    if not (folder / WEIGHTS).is_file():
        raise RecipeError(f"{folder}: no {WEIGHTS}; the adapter is incomplete, copy it again")
    return config


def refuse_unservable(folder: Path, config: AdapterConfig) -> None:
    """Raise if vLLM cannot apply the adapter in full.

    Raises:
        RecipeError: it cannot; every reason is given.
    """
    extra = config.model_extra or {}
    found = [what for key, what in UNSUPPORTED.items() if extra.get(key)]
    if config.bias != "none":
        found.append("trained biases")
    start = config.init_lora_weights
    if isinstance(start, str) and start.lower() not in PLAIN_STARTS:
        found.append(f"updates that start from changed base weights ({start})")
    if config.largest_rank > RANKS[-1]:
        found.append(f"rank {config.largest_rank} (its limit is {RANKS[-1]})")
    if found:
        raise RecipeError(
            f"{folder}: vLLM cannot apply {' and '.join(found)}; train without, or merge the "
            "adapter into the model (fmau export --merge)"
        )
