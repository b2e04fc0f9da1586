"""Qwen3.5, and 3.6 and 3.8, which share its architecture, dense and with mixtures of experts.

Three of four layers of the language model are linear attention (Gated DeltaNet). The processor is
that of Qwen3-VL; the vision tower has no deepstack. The template thinks unless it is told not to.
"""

from fmau.families.qwen3_vl import Qwen3VL


class Qwen3_5(Qwen3VL):
    """Qwen3.5: Qwen3-VL's prompts and frames, a hybrid language model, and thinking."""

    name = "Qwen3.5"
    types = frozenset({"qwen3_5", "qwen3_5_moe"})
    unmergeable = frozenset({"qwen3_5_moe"})
    hybrid = True
    thinks = True
    reasoning_parser = "qwen3"
