"""Contact sheets: laid out as asked, the same every time, each row for itself."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmau.core.taxonomy import action_by_code, parts
from fmau.demo.mini.sheet import CAPTION, FRAMES, GAP, HEIGHT, README_CODES, WIDTH, write_sheet


def sheet(path: Path, codes: list[str], **options: int) -> np.ndarray:
    write_sheet(path, codes, seed=1, **options)
    return np.asarray(Image.open(path).convert("RGB"))


def test_rows_go_down_the_columns(tmp_path: Path) -> None:
    three = sheet(tmp_path / "a.png", ["A1", "B3", "G2"])
    row = CAPTION + HEIGHT
    assert three.shape == (2 * row, 2 * FRAMES * WIDTH + GAP, 3)
    assert (three[row:, -FRAMES * WIDTH :] == 255).all(), "the last place is empty"

    for code, top, left in (("B3", row, 0), ("G2", 0, FRAMES * WIDTH + GAP)):
        alone = sheet(tmp_path / "b.png", [code], columns=1)
        assert alone.shape == (row, FRAMES * WIDTH, 3)
        part = three[top : top + row, left : left + FRAMES * WIDTH]
        np.testing.assert_array_equal(part, alone)


def test_equal_seeds_give_equal_files(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_sheet(tmp_path / name, ["F9"], seed=3)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").stat().st_size < 50_000


def test_unknown_codes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="Z9"):
        write_sheet(tmp_path / "a.png", ["Z9"], seed=0)


def test_the_small_sheet_shows_every_group() -> None:
    assert {action_by_code()[code].part for code in README_CODES} == {p.label for p in parts()}
