"""The folder that `write_mini` writes: complete, repeatable, and safe to write to again."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from fmau.core.errors import RunError
from fmau.core.files import LOCK, hold_folder
from fmau.core.taxonomy import Task, action_by_code, parts
from fmau.dataset.questions import load_questions
from fmau.demo.mini.cast import deal_codes
from fmau.demo.mini.facts import observe
from fmau.demo.mini.plan import FPS, Motion
from fmau.demo.mini.write import write_mini

SIZE: dict[str, Any] = {"clips": 3, "train_clips": 2, "seed": 5, "height": 96, "width": 80}


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mini") / "new"
    write_mini(out, **SIZE)
    return out


def texts(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.json"))}


def test_labels_are_dealt_out_evenly() -> None:
    codes = deal_codes(7 * 60 + 3, np.random.default_rng(0))
    by_part = Counter(action_by_code()[code].part for code in codes)
    assert set(by_part.values()) == {60, 61}
    by_code = Counter(codes)
    for part in parts():
        counts = [by_code[action.code] for action in part.actions]
        assert max(counts) - min(counts) <= 1


@pytest.mark.slow
def test_files_agree_with_each_other(mini: Path) -> None:
    truth = pq.read_table(mini / "truth.parquet").to_pylist()
    assert Counter(row["split"] for row in truth) == {"test": 3, "train": 2}
    people = {
        split: {r["participant"] for r in truth if r["split"] == split}
        for split in ("test", "train")
    }
    assert not people["test"] & people["train"]
    for split, folder in (("test", mini), ("train", mini / "train")):
        names = {row["name"] for row in truth if row["split"] == split}
        assert {path.stem for path in (folder / "clips").iterdir()} == names
        questions = json.loads((folder / "questions.json").read_text("utf-8"))
        assert Counter(row["video"] for row in questions) == {f"{n}.mp4": 12 for n in names}
        assert all(row["answer"] for row in questions)
    captions = json.loads((mini / "train" / "captions.json").read_text("utf-8"))
    labels = {row["name"]: action_by_code()[row["code"]] for row in truth}
    for row in captions:
        action = labels[Path(row["video"]).stem]
        assert (row["coarse"], row["fine"]) == (action.part, action.label)
        assert len(row["caption"]) == 5


@pytest.mark.slow
def test_question_files_are_read_like_the_official_ones(mini: Path) -> None:
    for folder in (mini, mini / "train"):
        read = load_questions(folder / "questions.json")
        assert len(read.questions) == len(read.gold) == 12 * len(list((folder / "clips").iterdir()))
        assert {q.task: len(q.options) for q in read.questions} == {
            task: task.option_count for task in Task
        }


@pytest.mark.slow
def test_truth_holds_the_trajectories_that_were_questioned(mini: Path) -> None:
    for row in pq.read_table(mini / "truth.parquet").to_pylist():
        positions_TPD = np.array(row["positions"], np.float32).reshape(row["frame_count"], 14, 3)
        assert observe(Motion(positions_TPD)).duration_s == row["frame_count"] / row["fps"]
        assert row["events"][0]["code"] == row["code"]


@pytest.mark.slow
def test_clips_are_h264_of_the_size_and_length_asked_for(mini: Path) -> None:
    frames = {
        r["name"]: r["frame_count"] for r in pq.read_table(mini / "truth.parquet").to_pylist()
    }
    clips = list(mini.rglob("*.mp4"))
    assert {path.stem for path in clips} == frames.keys()
    for path in clips:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
            assert (stream.height, stream.width) == (SIZE["height"], SIZE["width"])
            assert stream.average_rate == FPS
            assert sum(1 for _ in container.decode(stream)) == frames[path.stem]


@pytest.mark.slow
def test_the_same_seed_writes_the_same_bytes(mini: Path, tmp_path: Path) -> None:
    write_mini(tmp_path / "again", **SIZE)
    again = tmp_path / "again"
    assert texts(again) == texts(mini)
    assert texts(mini).keys() >= {"questions.json", "train/captions.json"}
    clips = sorted(mini.rglob("*.mp4"))
    assert len(clips) == 5
    for path in clips:
        assert (again / path.relative_to(mini)).read_bytes() == path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_any_number_of_workers_writes_the_same_bytes(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At full size: x264's macroblock tree gave other bytes for one of the clips of seed 3."""
    written = []
    for workers in (1, 3):
        monkeypatch.setattr("fmau.demo.mini.write._WORKERS", workers)
        out = tmp_path / f"{workers} workers"
        write_mini(out, clips=8, train_clips=1, seed=seed)
        files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != LOCK)
        written.append({str(path.relative_to(out)): path.read_bytes() for path in files})
    one, three = written
    assert len(one) == 9 + 5
    assert one.keys() == three.keys()
    assert [name for name in one if one[name] != three[name]] == []


@pytest.mark.slow
def test_a_second_run_keeps_clips_and_restores_missing_ones(mini: Path) -> None:
    kept, lost = sorted((mini / "clips").iterdir())[:2]
    stamp, content = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    seen: list[tuple[int, int]] = []
    write_mini(mini, **SIZE, progress=lambda done, total: seen.append((done, total)))
    assert kept.stat().st_mtime_ns == stamp
    assert lost.read_bytes() == content
    assert seen == [(5, 5)]


@pytest.mark.slow
def test_another_mini_in_the_folder_is_not_touched(mini: Path) -> None:
    before = texts(mini)
    with pytest.raises(RunError, match="another mini benchmark"):
        write_mini(mini, **{**SIZE, "seed": 6})
    assert texts(mini) == before


@pytest.mark.parametrize("files", [["thesis.txt"], ["mini.json", "thesis.txt"]])
def test_a_folder_with_other_files_is_refused(files: list[str], tmp_path: Path) -> None:
    """An empty mini.json does not make it a mini benchmark."""
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(RunError, match="not an empty folder"):
        write_mini(tmp_path, **SIZE)
    assert sorted(path.name for path in tmp_path.iterdir()) == files


@pytest.mark.slow
@pytest.mark.parametrize("left", ["mini.json", "mini.json.part", ".lock"])
def test_what_a_kill_or_a_full_disk_left_at_the_start_is_no_obstacle(
    left: str, tmp_path: Path
) -> None:
    """An empty mini.json is what earlier versions left."""
    (tmp_path / left).touch()
    write_mini(tmp_path, **{**SIZE, "clips": 1, "train_clips": 0})
    assert json.loads((tmp_path / "mini.json").read_text("utf-8"))["seed"] == SIZE["seed"]
    assert len(list((tmp_path / "clips").iterdir())) == 1


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    held = hold_folder(tmp_path, "held by the test")
    with pytest.raises(RunError, match="another process is writing this mini benchmark"):
        write_mini(tmp_path, **SIZE)
    held.release()
    assert [path.name for path in tmp_path.iterdir()] in ([], [".lock"])


@pytest.mark.parametrize("wrong", [{"clips": 0}, {"train_clips": -1}, {"height": 95}])
def test_impossible_sizes_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="need clips"):
        write_mini(tmp_path / "new", **{**SIZE, **wrong})
    assert not (tmp_path / "new").exists()
