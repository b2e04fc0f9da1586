"""Names of clips, and the files behind them."""

from pathlib import Path

import pytest

from fmau.core.errors import ClipError
from fmau.dataset.clips import clip_name, clip_path, clip_paths, name_fault
from fmau.frames.timeline import probe


@pytest.mark.parametrize(
    ("written", "name"),
    [("a.mp4", "a"), ("a.MP4", "a"), ("a", "a"), ("a.b.mov", "a.b"), ("a.v2", "a.v2")],
)
def test_the_suffix_of_a_video_file_is_no_part_of_a_name(written: str, name: str) -> None:
    assert name_fault(written) is None
    assert clip_name(written) == name


@pytest.mark.parametrize(
    "name",
    [
        "a" * 300,
        "ä" * 130,
        "a\ud800",
        "a.mp4?sig=1",
        "../a",
        "a/b.mp4",
        "a\\b",
        "..",
        "a\0",
        "",
        " ",
        None,
        7,
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(name: object) -> None:
    assert name_fault(name) is not None


def test_clips_are_found_whatever_their_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.avi").touch()
    assert clip_path(tmp_path, "a").name == "a.avi"
    assert clip_path(tmp_path, "a.mp4").name == "a.avi", "files are often converted"
    assert clip_path(tmp_path, "b").name == "b.mp4"
    assert clip_path(tmp_path, "b.mov").name == "b.mov"
    assert clip_path(tmp_path / "nowhere", "b").name == "b.mp4"


def test_the_named_file_is_taken_before_any_other(tmp_path: Path) -> None:
    for name in ("two.mp4", "two.mov", "TWO.webm"):
        (tmp_path / name).touch()
    assert clip_path(tmp_path, "two.mov").name == "two.mov"
    assert clip_path(tmp_path, "two.WEBM").name == "TWO.webm"
    with pytest.raises(ClipError, match=r"several files fit the clip two: .*two\.mov, two\.mp4"):
        clip_path(tmp_path, "two")


@pytest.mark.parametrize(
    ("on_disk", "asked"),
    [
        ("UP.MP4", "UP"),
        ("UP.MP4", "up.mp4"),
        ("up.m4v", "UP"),
        ("caf\u00e9.mp4", "cafe\u0301"),
        ("cafe\u0301.mp4", "CAF\u00c9.mp4"),
    ],
)
def test_capitals_and_composed_letters_do_not_matter(
    on_disk: str, asked: str, tmp_path: Path
) -> None:
    (tmp_path / on_disk).touch()
    (tmp_path / "other.mp4").touch()
    assert clip_path(tmp_path, asked).name == on_disk


def test_a_folder_that_changed_is_read_again(tmp_path: Path) -> None:
    assert clip_path(tmp_path, "A").name == "A.mp4"
    (tmp_path / "a.mov").touch()
    assert clip_path(tmp_path, "A").name == "a.mov"


def test_many_clips_are_found_and_unclear_ones_are_told(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4", "b.mov"):
        (tmp_path / name).touch()
    paths, unclear = clip_paths(tmp_path, {"a": "a", "b": "b", "c": "b.mov"})
    assert {clip: path.name for clip, path in paths.items()} == {"a": "a.mp4", "c": "b.mov"}
    assert list(unclear) == ["b"]


def test_a_folder_that_cannot_be_has_no_clips(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    for folder in (tmp_path / "loop", tmp_path / "file", tmp_path / ("x" * 300), Path("a\0b")):
        for name in ("a", "a.mov"):
            path = clip_path(folder, name)
            assert path.parent == folder
            with pytest.raises(ClipError, match="no such file; put the clip there"):
                probe(path)
