"""The rule that gives tokens their positions, without the model's weights.

`fmau.train.batches` gives it to loader processes, which should not carry a model of gigabytes.
"""

from typing import cast

from torch import nn
from transformers import Qwen3VLConfig
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLModel

from fmau.train.packing import PositionRule


class _Weightless(Qwen3VLModel):  # type: ignore[misc] # transformers is untyped here
    """The model's methods with its configuration and nothing else."""

    def __init__(self, config: Qwen3VLConfig) -> None:
        nn.Module.__init__(self)  # not that of the model, which would make its layers
        self.config = config


def position_rule(config: Qwen3VLConfig) -> PositionRule:
    """The `get_rope_index` of a model with this configuration; pickling it is cheap."""
    return cast(PositionRule, _Weightless(config).get_rope_index)
