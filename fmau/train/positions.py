"""The rule that gives tokens their positions, without the model's weights.

`fmau.train.batches` gives it to loader processes, which should not carry a model of gigabytes.
"""

from typing import Any, cast

from torch import nn
from transformers import MODEL_MAPPING

from fmau.train.packing import PositionRule


def position_rule(config: Any) -> PositionRule:
    """The `get_rope_index` of a model with this configuration; pickling it is cheap."""
    weightless = object.__new__(MODEL_MAPPING[type(config)])
    nn.Module.__init__(weightless)  # not that of the model, which would make its layers
    weightless.config = config
    return cast(PositionRule, weightless.get_rope_index)
