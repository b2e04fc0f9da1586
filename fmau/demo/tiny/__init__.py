"""The tiny checkpoint: the Qwen3-VL architecture at a few million parameters, trained on rendered
micro-actions, so that every command can be tried on a laptop with real components.

It is a weak baseline by design: it follows every answer format and knows most groups and actions by
sight, but has the habit of answering A (the last stage of `curriculum`), and guesses at yes/no
questions. `python -m fmau.demo.tiny OUT` makes one like it; the one that tests and the
demo use lies in `checkpoint/`.
"""

from pathlib import Path

from fmau.core.torchvision_cpu import ensure_torchvision

ensure_torchvision()  # before any module of this package imports Qwen3-VL's processors

CHECKPOINT = Path(__file__).parent / "checkpoint"
"""The checkpoint that ships with the project."""
