"""Tests of fmau.export; its package readies torchvision before transformers is imported."""

import fmau.export  # noqa: F401
