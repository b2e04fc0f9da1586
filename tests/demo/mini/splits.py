"""Splits cast once and shared by the tests of a session; nothing is rendered."""

from functools import cache

import numpy as np

from fmau.demo.mini.cast import CastClip, cast_split
from fmau.demo.mini.questions import Row, ask


@cache
def split(clips: int, seed: int) -> tuple[tuple[CastClip, ...], tuple[Row, ...]]:
    """Clips of a split and their questions."""
    rng = np.random.default_rng(seed)
    cast = cast_split(clips, 1, rng)
    return tuple(cast), tuple(ask([(clip.plan, clip.facts) for clip in cast], rng))
