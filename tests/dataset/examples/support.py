"""Captioned clips for the tests of views, with the facts behind their captions.

The mini benchmark writes the captions and measures the facts, from trajectories that no view sees;
so the facts are an independent truth for all that is derived from captions. Nothing is rendered.
"""

from functools import cache

import numpy as np

from fmau.core.taxonomy import Action, action_by_code
from fmau.dataset.captions import FIELDS, CaptionedClip
from fmau.demo.mini.captions import caption
from fmau.demo.mini.cast import cast_split
from fmau.demo.mini.facts import Facts

HALF, SEEDS = 150, (31, 32)
"""The splits of the slow tests: clips of each, and their seeds."""


@cache
def mini_clips(count: int, seed: int) -> tuple[tuple[CaptionedClip, ...], dict[str, Facts]]:
    """Clips of a cast split, and clip name -> facts."""
    cast = cast_split(count, 1, np.random.default_rng(seed))
    clips = tuple(
        CaptionedClip(
            clip.plan.name,
            clip.participant,
            {name: str(text) for name, text in caption(clip.facts, clip.plan).items()},
            action_by_code()[clip.code],
        )
        for clip in cast
    )
    return clips, {clip.plan.name: clip.facts for clip in cast}


def clip(name: str, action: Action | None, **fields: str) -> CaptionedClip:
    """A clip with these fields; the others say nothing of note."""
    return CaptionedClip(name, None, dict.fromkeys(FIELDS, "Nothing of note.") | fields, action)
