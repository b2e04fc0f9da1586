"""Tests of fmau.train; torchvision is made ready before any of them imports transformers."""

from fmau.core.torchvision_cpu import ensure_torchvision

ensure_torchvision()
