"""Qwen2.5-VL: cells of 28 x 28 pixels, and no times in the prompt.

Its model learns of times from `second_per_grid_ts`, the seconds between two pairs of frames, which
sets the distance of their positions.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from fmau.families.qwen3_vl import Qwen3VL


class Qwen2_5VL(Qwen3VL):
    """Qwen2.5-VL: Qwen3-VL's prompts without times, and smaller cells."""

    name = "Qwen2.5-VL"
    types = frozenset({"qwen2_5_vl"})
    cell = 28
    unmergeable = frozenset[str]()
    towers: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "language": ("model.language_model.layers.",),
        "vision": ("model.visual.blocks.",),
        "merger": ("model.visual.merger.",),
    }

    def times(self, indices: Sequence[int], fps: float) -> list[str]:
        """None are shown."""
        return []

    def times_in(self, prompt: str) -> list[str]:
        """None are shown."""
        return []
