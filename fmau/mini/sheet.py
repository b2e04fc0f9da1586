"""Contact sheets: a row of eight frames per action, to see whether a person would recognise it."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmau.mini.casting import plan_clip
from fmau.mini.figure import sample_subject
from fmau.mini.kinematics import animate
from fmau.mini.render import render_frames
from fmau.taxonomy import action_by_code

FRAMES = 8
HEIGHT, WIDTH = 192, 160
CAPTION = 18


def write_sheet(path: Path, codes: Sequence[str], seed: int) -> None:
    """Draw one clip of each action, eight uniformly sampled frames a row, as a PNG file."""
    rng = np.random.default_rng(seed)
    rows = [_row(code, rng) for code in codes]
    Image.fromarray(np.concatenate(rows)).save(path)


def _row(code: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    plan = plan_clip("sheet", code, sample_subject(rng), rng)
    indices = np.linspace(0, plan.frame_count - 1, FRAMES).round().astype(int).tolist()
    # Drawn at twice the size and averaged down, as the eye would.
    pixels_THWC = render_frames(plan, animate(plan), indices, height=2 * HEIGHT, width=2 * WIDTH)
    small = [cv2.resize(p, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for p in pixels_THWC]
    strip_HWC = np.concatenate(small, axis=1)
    caption_HWC = np.full((CAPTION, strip_HWC.shape[1], 3), 255, np.uint8)
    text = f"{code} {action_by_code()[code].label}   {plan.frame_count / 30:.1f} s"
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(caption_HWC, text, (4, 13), font, 0.45, (20, 20, 20), 1, cv2.LINE_AA)
    return np.concatenate([caption_HWC, strip_HWC])
