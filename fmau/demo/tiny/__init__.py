"""The tiny checkpoint: a model of Qwen3-VL's architecture with a few million parameters.

It is trained on rendered micro-actions, so that every command can be tried on a laptop with real
components. It is a weak baseline by design: it follows every answer format and recognises most
groups and actions, but it tends to answer A (the last stage of `curriculum` trains this habit), and
it guesses at yes/no questions. Tests and the demo use the checkpoint in `checkpoint/`;
`python -m fmau.demo.tiny OUT` makes a similar one.
"""

from pathlib import Path

from fmau.core.torchvision_cpu import ensure_torchvision

ensure_torchvision()  # before any module of this package imports Qwen3-VL's processors

CHECKPOINT = Path(__file__).parent / "checkpoint"
"""The checkpoint that ships with the project."""
