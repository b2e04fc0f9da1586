"""Names of clips, and the files behind them."""

from pathlib import Path

import pytest

from fmau.dataset.clips import clip_name, clip_path, name_fault


@pytest.mark.parametrize(
    ("written", "name"),
    [("a.mp4", "a"), ("a.MP4", "a"), ("a", "a"), ("a.b.mov", "a.b"), ("a.v2", "a.v2")],
)
def test_the_suffix_of_a_video_file_is_no_part_of_a_name(written: str, name: str) -> None:
    assert name_fault(written) is None
    assert clip_name(written) == name


@pytest.mark.parametrize("name", ["../a", "a/b.mp4", "a\\b", "..", "a\0", "", " ", None, 7])
def test_names_that_could_lead_elsewhere_are_refused(name: object) -> None:
    assert name_fault(name) is not None


def test_clips_are_found_whatever_their_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.avi").touch()
    assert clip_path(tmp_path, "a").name == "a.avi"
    assert clip_path(tmp_path, "b").name == "b.mp4"
