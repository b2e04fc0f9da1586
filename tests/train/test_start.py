"""A run that was started goes on under what it started with, or not at all."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fmau.core.errors import RunError
from fmau.frames.cache import build_cache
from fmau.recipe import load_recipe
from fmau.train.checkpoints import mark_complete
from fmau.train.run import load_materials
from fmau.train.start import check_start, training_conditions
from tests.clips import write_clip
from tests.train.workshop import furnish, recipe_file


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("started"))


@pytest.fixture
def workshop(furnished: Path, tmp_path: Path) -> Path:
    """A copy that a test may change; times are copied too, which tell whether a clip changed."""
    return Path(shutil.copytree(furnished, tmp_path / "workshop"))


def start(recipe: Path, *settings: str) -> bool:
    """What `train_adapter` does before it loads the model."""
    checked = load_recipe(recipe, settings)
    materials = load_materials(checked)
    assert checked.train is not None
    present = training_conditions(
        checked, checked.train, materials.data, materials.prompts, materials.cache
    )
    return check_start(checked.run_folder, present)


def refusal(recipe: Path, *settings: str) -> str:
    with pytest.raises(RunError) as refused:
        start(recipe, *settings)
    return str(refused.value)


def begin(workshop: Path) -> None:
    """Leave a complete checkpoint, as the first steps do."""
    checkpoint = workshop / "runs/run/train/checkpoint-2"
    checkpoint.mkdir(parents=True)
    mark_complete(checkpoint, sharing="no sharding", processes=1)


def finish(workshop: Path) -> Path:
    """Leave the files of an adapter, of which training.yaml is written last."""
    adapter = workshop / "runs" / "run" / "adapter"
    adapter.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors", "training.yaml"):
        (adapter / name).write_text("")
    return adapter


def test_the_same_recipe_goes_on_until_it_has_finished(workshop: Path) -> None:
    recipe = recipe_file(workshop, "run")
    assert not start(recipe)
    begin(workshop)
    assert not start(recipe)
    adapter = finish(workshop)
    assert start(recipe)
    for path in adapter.iterdir():
        path.unlink()
        assert not start(recipe), f"without {path.name} it is written anew"
        path.write_text("")


def test_before_the_first_checkpoint_the_recipe_may_change(workshop: Path) -> None:
    """A first try that ran out of memory, say, is begun again with smaller sequences."""
    recipe = recipe_file(workshop, "run")
    assert not start(recipe)
    half = workshop / "runs/run/train/checkpoint-2"
    half.mkdir()
    assert not start(recipe, "train.examples_per_sequence=2")
    half.rmdir()
    begin(workshop)
    assert not start(recipe, "train.examples_per_sequence=2")
    assert "train.examples_per_sequence: 2 -> 1" in refusal(recipe)


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("train.learning_rate=0.02", "train.learning_rate: 0.01 -> 0.02"),
        ("train.seed=1", "train.seed: 0 -> 1"),
        ("train.epochs=2", "train.epochs: 1.0 -> 2.0"),
        ("train.batch_size=4", "train.batch_size: 8 -> 4"),
        ("train.lora.alpha=64", "train.lora.alpha: 32.0 -> 64.0"),
        ("train.lora.rank=8", "train.lora.rank: 4 -> 8"),
        ("train.lora.vision=true", "train.lora.vision: False -> True"),
        ("train.mixture={caption: 1}", "train.mixture.FMAR: 1.0 -> absent"),
        ("train.validation_examples=4", "train.validation_examples: 8 -> 4"),
        ("train.data.validation_share=0.5", "data.validation_share: 0.2 -> 0.5"),
        ("prompt.strip_class_codes=false", "strip_class_codes: True -> False"),
        ("prompt.set=zero_shot", "prompts.common: "),
        ("answer.max_tokens_open=13", "max_tokens_open: 12 -> 13"),
        ("model.dtype=bfloat16", "model.dtype: 'float32' -> 'bfloat16'"),
    ],
)
@pytest.mark.parametrize("finished", [False, True], ids=["half-way", "finished"])
def test_another_recipe_is_refused_with_each_difference(
    workshop: Path, setting: str, line: str, finished: bool
) -> None:
    recipe = recipe_file(workshop, "run")
    start(recipe)
    begin(workshop)
    written = (workshop / "runs/run/train/start.json").read_bytes()
    if finished:
        finish(workshop)
    assert f"\n  {line}" in refusal(recipe, setting)
    assert (workshop / "runs/run/train/start.json").read_bytes() == written


@pytest.mark.parametrize(
    "setting",
    [
        "train.micro_batch_size=2",
        "train.gradient_checkpointing=true",
        "train.attention=eager",
        "train.wandb=true",
        "answer.retries=9",
        "serve.port=8099",
    ],
)
def test_what_changes_no_result_may_change(workshop: Path, setting: str) -> None:
    recipe = recipe_file(workshop, "run")
    start(recipe)
    begin(workshop)
    assert not start(recipe, setting)


def test_folders_may_be_moved(workshop: Path) -> None:
    start(recipe_file(workshop, "run"))
    begin(workshop)
    moved = workshop.rename(workshop.with_name("moved"))
    assert not start(recipe_file(moved, "run"))


def other_captions(workshop: Path) -> None:
    path = workshop / "captions.json"
    path.write_text(path.read_text().replace("judgment_basis.", "judgement."))


def other_order(workshop: Path) -> None:
    path = workshop / "captions.json"
    path.write_text(json.dumps(json.loads(path.read_text())[::-1]))


def other_weights(workshop: Path) -> None:
    path = workshop / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def other_clip(workshop: Path) -> None:
    """A clip replaced, and its frames extracted again."""
    clip = workshop / "clips" / "c3.mp4"
    write_clip(clip, 14, height=64, width=64)
    frames = load_recipe(workshop / "run.yaml").frames
    assert build_cache(workshop / "cache", {"c3": clip}, frames, workers=1).done == 1


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (other_captions, "data.captions: "),
        (other_captions, "data.examples: "),
        (other_order, "data.captions: "),
        (other_weights, "model.weights: "),
        (other_clip, "clips.c3: "),
    ],
)
def test_other_contents_of_the_same_files_are_refused(
    workshop: Path, change: Callable[[Path], None], line: str
) -> None:
    recipe = recipe_file(workshop, "run")
    start(recipe)
    begin(workshop)
    change(workshop)
    assert f"\n  {line}" in refusal(recipe)


def test_a_clip_replaced_since_its_frames_were_made_is_noticed_at_every_start(
    workshop: Path,
) -> None:
    recipe = recipe_file(workshop, "run")
    clip = workshop / "clips" / "c3.mp4"
    sound = clip.stat()
    os.utime(clip, ns=(sound.st_atime_ns, sound.st_mtime_ns + 1_000_000_000))
    for clips in (1, 2):
        said = refusal(recipe)
        assert f"{clips} clip(s) have changed since their frames were extracted: c" in said
        assert "c3" in said
        write_clip(workshop / "clips" / "c4.mp4", 30, height=64, width=64)
    shutil.rmtree(workshop / "clips")
    assert not start(recipe), "where only the cache was copied to, there is nothing to compare"


def test_checkpoints_and_adapters_of_unknown_origin_are_refused(workshop: Path) -> None:
    recipe = recipe_file(workshop, "run")
    begin(workshop)
    assert "there is no train/start.json" in refusal(recipe)
    shutil.rmtree(workshop / "runs/run/train")
    finish(workshop)
    assert "there is no train/start.json" in refusal(recipe)


def test_a_damaged_start_is_refused_by_name(workshop: Path) -> None:
    recipe = recipe_file(workshop, "run")
    start(recipe)
    begin(workshop)
    (workshop / "runs/run/train/start.json").write_text("{")
    assert "train/start.json: damaged" in refusal(recipe)


def test_thousands_of_differences_are_cut(workshop: Path) -> None:
    many = {"clips": {f"c{number}": "0" for number in range(500)}}
    run = workshop / "runs/run"
    check_start(run, many)
    begin(workshop)
    with pytest.raises(RunError) as refused:
        check_start(run, {"clips": dict.fromkeys(many["clips"], "1")})
    assert str(refused.value).count("\n  clips.") == 20
    assert "... and 480 more" in str(refused.value)
