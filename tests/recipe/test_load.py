"""Recipes: the shipped ones load, and every kind of mistake is named with its key."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.errors import RecipeError
from fmau.recipe import TrainBlock, TrainDataBlock, load_recipe
from tests.paths import RECIPES

SHIPPED = sorted((RECIPES).glob("*.yaml"))
MINIMAL: dict[str, Any] = {
    "name": "r",
    "model": {"path": "m", "dtype": "float32"},
    "data": {"questions": "q.json", "clips": "clips"},
    "frames": {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 65536},
    "prompt": {"set": "zero_shot"},
}


def write(folder: Path, **changes: object) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({**MINIMAL, **changes}), "utf-8")
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_recipes_load_and_are_named_after_their_file(path: Path) -> None:
    assert load_recipe(path).name == path.stem


def test_a_minimal_recipe_has_the_documented_defaults(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path))
    assert (recipe.frames.count, recipe.frames.policy) == (8, "endpoints")
    assert recipe.prompt.strip_class_codes
    assert recipe.serve.host == "127.0.0.1"
    assert recipe.run_folder == Path("runs/r")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sereve": {}}, "sereve: unknown key"),
        ({"serve": {"prot": 1}}, "serve.prot: unknown key; known keys: host, port"),
        ({"serve": {"port": 70000}}, "serve.port"),
        ({"serve": {"ready_timeout_s": "2 min"}}, "serve.ready_timeout_s"),
        ({"frames": {**MINIMAL["frames"], "count": 7}}, "count is 7, not a multiple of 2"),
        ({"frames": {**MINIMAL["frames"], "policy": "first_n"}}, "fps belongs to policy"),
        (
            {"frames": {"min_pixels_per_frame": 9000, "max_pixels_per_frame": 4096}},
            "min_pixels_per_frame is larger",
        ),
        ({"model": {"path": "m"}}, "model.dtype: missing"),
        ({"name": "../up"}, "name"),
    ],
)
def test_a_mistake_is_named_with_its_key(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(RecipeError) as error:
        load_recipe(write(tmp_path, **changes))
    assert said in str(error.value)
    assert "recipe.yaml" in str(error.value)


def test_training_with_frames_as_images_is_refused() -> None:
    assert load_recipe("zero_shot_tiny", ["answer.frames_as=images"]).answer.as_images
    with pytest.raises(RecipeError, match="training shows clips as videos"):
        load_recipe("lora_tiny", ["answer.frames_as=images"])


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as error:
        load_recipe(write(tmp_path, model={"pth": "m"}, extra=1))
    for said in ("model.path: missing", "model.dtype: missing", "model.pth: unknown", "extra"):
        assert said in str(error.value)


def test_a_missing_or_unreadable_recipe_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such recipe"):
        load_recipe(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1", "utf-8")
    with pytest.raises(RecipeError, match="cannot be read as YAML"):
        load_recipe(broken)
    broken.write_text("- a\n", "utf-8")
    with pytest.raises(RecipeError, match="mapping of blocks"):
        load_recipe(broken)


def test_overrides_replace_values_of_existing_keys_only(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert load_recipe(path, ["serve.port=9000", "model.revision=null"]).serve.port == 9000
    with pytest.raises(RecipeError, match="no key 'prot'"):
        load_recipe(path, ["serve.prot=9000"])
    with pytest.raises(RecipeError, match="no block 'sevre'"):
        load_recipe(path, ["sevre.port=9000"])
    with pytest.raises(RecipeError, match="KEY=VALUE"):
        load_recipe(path, ["serve.port"])
    with pytest.raises(RecipeError, match=r"serve\.port"):
        load_recipe(path, ["serve.port=many"])


@given(batches=st.integers(1, 50), batch=st.integers(1, 64), over=st.integers(0, 63))
def test_an_epoch_is_made_of_whole_batches(batches: int, batch: int, over: int) -> None:
    train = training(batch)
    assert train.steps(batches * batch + over % batch) == 2 * batches


def test_fewer_sequences_than_a_batch_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"batch_size is 8, but there are only 7 sequences"):
        training(8).steps(7)


def training(batch: int) -> TrainBlock:
    data = TrainDataBlock(
        captions=Path("c.json"), clips=Path("clips"), cache=Path("cache"), benchmarks=()
    )
    return TrainBlock(
        data=data, mixture={"caption": 1}, epochs=2, batch_size=batch, micro_batch_size=1
    )


@pytest.mark.parametrize("key", ["participant_pattern", "label_pattern"])
def test_patterns_for_names_are_checked_when_the_recipe_is_read(key: str) -> None:
    setting = f"train.data.{key}=([0-9]{{4}})_.*"
    recipe = load_recipe("lora_qwen3_vl_8b_mixture", [setting])
    assert recipe.train is not None
    assert getattr(recipe.train.data, key) == "([0-9]{4})_.*"
    for pattern, said in (
        ("(a", "not a regular expression"),
        ("abc", "has 0 groups; put brackets around the one part to take"),
        ("(a)(b)", "has 2 groups"),
        ("3", "valid string"),
    ):
        with pytest.raises(RecipeError, match=said) as error:
            load_recipe("lora_qwen3_vl_8b_mixture", [f"train.data.{key}={pattern}"])
        assert f"train.data.{key}: " in str(error.value)


def test_the_tiny_checkpoint_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(load_recipe("zero_shot_tiny").model.path)
    assert path.is_absolute()
    assert (path / "config.json").is_file()
    for other in ("fmau/demo/none", "Qwen/Qwen3-VL-8B-Instruct", "runs/x-merged", "../fmau", "."):
        recipe = load_recipe("zero_shot_tiny", [f"model.path={other}"])
        assert recipe.model.path == other
