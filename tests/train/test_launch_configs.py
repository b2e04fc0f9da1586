"""Configs of `accelerate launch`, as far as they can be checked without their hardware."""

import json
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file

from fmau.core.errors import RecipeError
from fmau.recipe import load_recipe
from fmau.train.run import load_base
from tests.paths import RECIPES
from tests.processors import small_model

CONFIGS = sorted((RECIPES / "accelerate").glob("*.yaml"))
TRAINED = [path for path in sorted(RECIPES.glob("*.yaml")) if load_recipe(path).train]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configs_are_those_that_accelerate_knows(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert config.num_machines == 1
    if path.stem.startswith("zero"):
        file = RECIPES.parent / config.deepspeed_config["deepspeed_config_file"]
        stage = json.loads(file.read_text("utf-8"))["zero_optimization"]["stage"]
        assert path.stem == f"zero{stage}"


def test_fsdp_wraps_layers_that_the_model_has() -> None:
    config = load_config_from_file(str(RECIPES / "accelerate" / "fsdp.yaml"))
    wrapped = set(config.fsdp_config["fsdp_transformer_layer_cls_to_wrap"].split(","))
    model = small_model()
    assert wrapped <= {type(module).__name__ for module in model.modules()}


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_the_steps_of_a_big_recipe_can_be_shared_by_eight_gpus(path: Path) -> None:
    train = load_recipe(path).train
    assert train is not None
    assert path.stem.startswith("lora_tiny") or train.batch_size % (8 * train.micro_batch_size) == 0


def test_four_bits_without_a_gpu_are_refused() -> None:
    recipe = load_recipe(RECIPES / "qlora_qwen3_vl_8b_24gb.yaml")
    assert recipe.train is not None
    with pytest.raises(RecipeError, match=r"pip install -e '\.\[qlora\]'"):
        load_base(recipe, recipe.train)
