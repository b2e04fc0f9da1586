"""Configs of `accelerate launch`, as far as they can be checked without their hardware."""

import json
import re
import shutil
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file

from fmau.core.errors import RecipeError
from fmau.recipe import load_recipe
from fmau.train import settings
from fmau.train.base import load_base
from fmau.train.settings import micro_batch, training_arguments
from tests.paths import RECIPES, REPO
from tests.processors import small_model

CONFIGS = sorted((RECIPES / "accelerate").glob("*.yaml"))
TRAINED = [path for path in sorted(RECIPES.glob("*.yaml")) if load_recipe(path).train]
LARGE = [path for path in TRAINED if load_recipe(path).model.path != "fmau/demo/tiny/checkpoint"]
"""Recipes of models that are worth more than one GPU."""


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


@pytest.mark.parametrize("processes", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("path", LARGE, ids=lambda path: path.stem)
def test_the_steps_of_a_large_recipe_can_be_shared_by_whole_nodes(
    path: Path, processes: int
) -> None:
    train = load_recipe(path).train
    assert train is not None
    assert micro_batch(train, processes) == min(train.micro_batch_size, 64 // processes)


EXAMPLE = re.compile(
    r"sbatch --nodes (\d+) --gpus-per-node (\d+) scripts/train\.slurm (\S+)(?: (\w+))?$", re.M
)
"""Nodes, GPUs of each, recipe and config of an example command."""


@pytest.mark.parametrize(("page", "count"), [("scripts/train.slurm", 2), ("docs/training.md", 1)])
def test_the_examples_for_slurm_can_start(page: str, count: int) -> None:
    found = EXAMPLE.findall((REPO / page).read_text("utf-8"))
    assert len(found) == count
    for nodes, gpus, recipe, config in found:
        train = load_recipe(REPO / recipe).train
        assert train is not None
        assert micro_batch(train, int(nodes) * int(gpus)) >= 1
        assert RECIPES / "accelerate" / f"{config or 'ddp'}.yaml" in CONFIGS


def test_every_recipe_but_those_of_the_tiny_checkpoint_is_large() -> None:
    assert {path.stem for path in set(TRAINED) - set(LARGE)} == {"lora_tiny", "lora_tiny_captions"}
    assert len(LARGE) >= 4


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_two_processes_on_a_cpu_can_share_every_recipe(path: Path) -> None:
    train = load_recipe(path).train
    assert train is not None
    share, left = divmod(train.batch_size, 2)
    assert left == 0
    assert share % micro_batch(train, 2) == 0


@pytest.mark.parametrize(
    ("batch", "most", "processes", "at_once"),
    [
        *((16, 2, 1, 2), (16, 2, 8, 2), (16, 2, 16, 1), (16, 64, 4, 4)),
        *((12, 12, 1, 12), (12, 12, 2, 6), (12, 4, 2, 3), (12, 5, 1, 4), (7, 4, 1, 1)),
    ],
)
def test_a_process_computes_as_much_at_once_as_divides_its_share(
    batch: int, most: int, processes: int, at_once: int
) -> None:
    train = load_recipe(RECIPES / "lora_qwen3_vl_8b_mixture.yaml").train
    assert train is not None
    train = train.model_copy(update={"batch_size": batch, "micro_batch_size": most})
    assert micro_batch(train, processes) == at_once


def test_a_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    train = load_recipe(RECIPES / "lora_qwen3_vl_8b_mixture.yaml").train
    assert train is not None
    with pytest.raises(RecipeError, match=r"batch_size is 64, which 3 processes cannot share"):
        micro_batch(train, 3)


@pytest.mark.parametrize(
    ("dtype", "asked", "fits"),
    [
        *(("float32", "no", True), ("float32", "bf16", False), ("float32", "fp16", False)),
        *(("bfloat16", "no", True), ("bfloat16", "bf16", True), ("bfloat16", "fp16", False)),
        *(("float32", "fp8", False), ("bfloat16", "fp8", False)),
    ],
)
def test_the_launch_does_not_choose_the_number_format(
    dtype: str, asked: str, fits: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`accelerate launch` passes a config's mixed_precision on in this variable."""
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", asked)
    recipe = load_recipe("lora_tiny", [f"model.dtype={dtype}", f"runs={tmp_path}"])
    assert recipe.train is not None
    if fits:
        training_arguments(recipe, recipe.train, validated=True)
        return
    with pytest.raises(RecipeError, match=f"mixed_precision {asked}, but model.dtype .* {dtype}"):
        training_arguments(recipe, recipe.train, validated=True)


def test_four_bits_without_a_gpu_are_refused() -> None:
    recipe = load_recipe(RECIPES / "qlora_qwen3_vl_8b_24gb.yaml")
    assert recipe.train is not None
    with pytest.raises(RecipeError, match=r"pip install -e '\.\[qlora\]'"):
        load_base(recipe, recipe.train)


def test_batches_that_do_not_fit_into_shared_memory_are_refused_before_training_hangs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(settings, "SHARED_MEMORY", tmp_path)
    settings.check_shared_memory(free // 3)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    with pytest.raises(RecipeError, match=r"shared memory, and [\d,]+ MiB are free; give the cont"):
        settings.check_shared_memory(free // 3)
    monkeypatch.setattr(settings, "SHARED_MEMORY", tmp_path / "no such folder")
    settings.check_shared_memory(2 * free)
