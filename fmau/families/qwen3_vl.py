"""Qwen3-VL, dense and with mixtures of experts; Qwen3.5's prompts and vision tower are the same."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fmau.families.family import Family, found, pair_times, pixel_bounds
from fmau.recipe import FramesBlock


class Qwen3VL(Family):
    """Qwen3-VL: "<0.3 seconds>" before each pair of frames, a cell of 32 x 32 pixels a token."""

    name = "Qwen3-VL"
    types = frozenset({"qwen3_vl", "qwen3_vl_moe"})
    towers: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "language": ("model.language_model.layers.",),
        "vision": ("model.visual.blocks.",),
        "merger": ("model.visual.merger.", "model.visual.deepstack_merger_list."),
    }
    unmergeable = frozenset({"qwen3_vl_moe"})
    served_towers = frozenset({"language", "vision", "merger"})

    def times(self, indices: Sequence[int], fps: float) -> list[str]:
        """The mean time of each pair, to a tenth of a second."""
        return [f"{time:.1f}" for time in pair_times(indices, fps)]

    def times_in(self, prompt: str) -> list[str]:
        """See `Family`."""
        return found(r"<(\d+\.\d) seconds>", prompt)

    def processor_settings(self, spec: FramesBlock) -> dict[str, Any]:
        """Bounds of a clip's size, in pixels of all its frames."""
        least, most = pixel_bounds(spec)
        size = {"shortest_edge": spec.count * least, "longest_edge": spec.count * most}
        return {"videos_kwargs": {"size": size}}

    def image_settings(self, spec: FramesBlock) -> dict[str, Any]:
        """Bounds of a frame's size, in pixels."""
        least, most = pixel_bounds(spec)
        return {"images_kwargs": {"size": {"shortest_edge": least, "longest_edge": most}}}

    @property
    def encoding(self) -> dict[str, Any]:
        """The last has no effect without resizing; it is given to avoid a warning."""
        return {**super().encoding, "cap_pixels_per_frame": False}
