"""Tests of the tiny checkpoint; the package makes Transformers' Qwen3-VL importable."""

import fmau.demo.tiny as fmau_tiny  # before any test module imports transformers

__all__ = ["fmau_tiny"]
