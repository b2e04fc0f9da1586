"""Draws contact sheets, one row of eight frames per action, to check if people recognise it.

The small sheet among the docs is drawn by

    write_sheet(Path("docs/actions.png"), README_CODES, seed=0, columns=1)
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmau.core.files import whole_file
from fmau.core.taxonomy import action_by_code, actions
from fmau.demo.mini.casting import plan_clip
from fmau.demo.mini.figure import sample_subject
from fmau.demo.mini.kinematics import animate
from fmau.demo.mini.plan import FPS
from fmau.demo.mini.render import render_frames

Pixels = NDArray[np.uint8]

README_CODES = ("A2", "B5", "C5", "C7", "D7", "E5", "F9", "G3")
"""An action of every group, and one more of the hands."""

FRAMES = 8
HEIGHT, WIDTH = 144, 120
"""Of a frame, pixels."""
CAPTION = 18
"""Height of the line of text above a row, pixels."""
GAP = 12
"""Between columns, pixels."""
COLOURS = 64
"""Of a row: fewer colours make smaller files, and a person in a room needs no more."""


def write_sheet(path: Path, codes: Sequence[str], seed: int, *, columns: int = 2) -> None:
    """Draw one clip of each action, eight uniformly sampled frames a row, as a PNG file.

    Args:
        path: file to write, replaced if it is there.
        codes: taxonomy codes in reading order, down the first column, then the next.
        seed: of people and motions; what a row shows depends on it and on the row's code alone.
        columns: number of columns the rows are laid out in.

    Raises:
        KeyError: a code is not in the taxonomy.
    """
    strips = [_strip(code, seed) for code in codes]
    deep = -(-len(strips) // columns)
    blank_HWC = np.full_like(strips[0], 255)
    strips += [blank_HWC] * (deep * columns - len(strips))
    gap_HWC = np.full((deep * len(blank_HWC), GAP, 3), 255, np.uint8)
    across = [np.concatenate(strips[start : start + deep]) for start in range(0, len(strips), deep)]
    joined = [part for column in across for part in (gap_HWC, column)][1:]
    with whole_file(path) as file:
        Image.fromarray(np.concatenate(joined, axis=1)).save(file, "PNG", optimize=True)


def _strip(code: str, seed: int) -> Pixels:
    """One row: a caption above eight frames."""
    action = action_by_code()[code]
    rng = np.random.default_rng([seed, actions().index(action)])
    plan = plan_clip("sheet", code, sample_subject(rng), rng)
    indices = np.linspace(0, plan.frame_count - 1, FRAMES).round().astype(int).tolist()
    # Drawn larger and averaged down, as the eye would.
    drawn_THWC = render_frames(plan, animate(plan), indices, height=3 * HEIGHT, width=3 * WIDTH)
    small = [cv2.resize(p, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for p in drawn_THWC]
    caption_HWC = np.full((CAPTION, FRAMES * WIDTH, 3), 255, np.uint8)
    text = f"{code} {action.label}   {plan.frame_count / FPS:.1f} s"
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(caption_HWC, text, (4, 13), font, 0.45, (20, 20, 20), 1, cv2.LINE_AA)
    strip = Image.fromarray(np.concatenate([caption_HWC, np.concatenate(small, axis=1)]))
    return np.asarray(strip.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB"))
