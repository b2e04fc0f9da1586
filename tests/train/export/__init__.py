"""Tests of fmau.train.export; its package readies torchvision before transformers is imported."""

import fmau.train.export  # noqa: F401
