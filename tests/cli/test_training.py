"""What a user does before training: check the data, extract the frames."""

import json
from pathlib import Path

import pytest
import yaml

from fmau.core.taxonomy import actions
from fmau.dataset.captions import FIELDS
from fmau.frames.cache import FrameCache
from fmau.frames.clip import read_clip
from fmau.recipe import load_recipe
from tests.cli.support import fails, run
from tests.clips import write_clip

CLIPS = 8


@pytest.fixture
def training_recipe(recipe: Path, tmp_path: Path) -> Path:
    """The small recipe with a training block about eight clips of four participants."""
    (tmp_path / "train").mkdir()
    rows = []
    for number in range(CLIPS):
        write_clip(tmp_path / f"train/t{number}.mp4", 20)
        action = actions()[7 * number]
        rows.append(
            {
                "video": f"t{number}.mp4",
                "participant": f"p{number // 2}",
                "caption": dict.fromkeys(FIELDS, f"The {action.part} moves."),
                "coarse": action.part,
                "fine": action.label,
            }
        )
    (tmp_path / "captions.json").write_text(json.dumps(rows))
    tree = yaml.safe_load(recipe.read_text())
    tree["train"] = {
        "data": {
            "captions": str(tmp_path / "captions.json"),
            "clips": str(tmp_path / "train"),
            "cache": str(tmp_path / "cache"),
            "benchmarks": [str(tmp_path / "questions.json")],
            "validation_share": 0.25,
        },
        "mixture": {"caption": 1, "CMAR": 2, "SAD": 1},
        "batch_size": 4,
    }
    recipe.write_text(yaml.safe_dump(tree))
    return recipe


def test_check_counts_examples_and_says_what_captions_do_not_yield(
    training_recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = run(capsys, "check", training_recipe)
    assert code == 0
    assert "18 examples about 8 clips (12 CMAR, 6 caption)" in said
    assert "6 SAD: the captions say too little" in said
    assert "4 of 4 sequences" in said


def test_frames_are_extracted_once(
    training_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "8 clips extracted" in run(capsys, "frames", training_recipe, "--verify")[1]
    assert "0 clips extracted" in run(capsys, "frames", training_recipe)[1]
    cache = FrameCache(tmp_path / "cache")
    for number in range(CLIPS):
        path = tmp_path / f"train/t{number}.mp4"
        assert cache[path.stem] == read_clip(path, load_recipe(training_recipe).frames)


def test_a_bad_clip_is_named_and_stops_only_a_recipe_that_wants_all(
    training_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train/t3.mp4").write_bytes(b"")
    code, said, complaint = run(capsys, "frames", training_recipe)
    assert code == 1
    assert "t3.mp4: the file is empty" in complaint
    assert "7 clips extracted" in said
    setting = ("--set", "train.data.skip_bad_clips=true")
    assert run(capsys, "frames", training_recipe, *setting)[0] == 0


def test_benchmark_clips_are_not_trained_on(
    training_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = tmp_path / "captions.json"
    captions.write_text(captions.read_text().replace("t0.mp4", "nod.mp4"))
    for command in ("check", "frames"):
        assert "training clip nod: is a benchmark clip" in fails(capsys, command, training_recipe)


def test_a_recipe_without_training_has_no_frames_to_extract(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no data.cache and no train block" in fails(capsys, "frames", recipe)


def test_settings_of_the_training_block_are_checked(
    training_recipe: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for setting, said in (
        ("train.lora.language=false", "nothing to train: set language, vision or merger to true"),
        ("train.lora.rnk=4", "no key 'rnk'; known keys: rank"),
        ("train.mixture={SADD: 1}", "train.mixture.SADD"),
    ):
        assert said in fails(capsys, "check", training_recipe, "--set", setting)
