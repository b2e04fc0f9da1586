"""The picture of a run: it is drawn from what the Trainer logs, resumed or cut short."""

from pathlib import Path

import pytest
from matplotlib.image import imread

from fmau.train.curves import draw_curves

LOSSES = [{"step": step, "loss": 2 / step} for step in range(1, 9)]
VALIDATIONS = [
    {"step": step, "eval_score": 40.0 + step, "eval_accuracy_CMAR": 30.0 + 3 * step}
    for step in (4, 8)
]


@pytest.mark.parametrize("history", [LOSSES + VALIDATIONS, LOSSES, []])
def test_a_picture_is_drawn_of_whatever_there_is(history, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    draw_curves(history, tmp_path / "training.png")
    pixels_HWC = imread(tmp_path / "training.png")
    assert pixels_HWC.shape[:2] == (720, 960)
    assert pixels_HWC[..., :3].std() > 0.05
