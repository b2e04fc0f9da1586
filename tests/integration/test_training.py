"""Training in two processes against training in one."""

import os
from pathlib import Path

import pytest
import torch

from tests.train.workshop import (
    SEQUENCES,
    finished,
    furnish,
    killed,
    launch,
    losses,
    recipe_file,
    refusal,
    weights,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def alone(workshop: Path) -> Path:
    """One process, several questions a sequence; without dropout, whose random numbers differ
    between processes."""
    return finished(recipe_file(workshop, "alone", lora={"rank": 4}, **SEQUENCES))


@pytest.mark.parametrize(
    ("hardware", "ranks"),
    [("ddp_cpu", slice(None)), ("zero2", slice(1)), ("zero3", slice(1, 2)), ("fsdp", slice(None))],
    ids=["ddp, both killed", "zero2, first killed", "zero3, second killed", "fsdp, both killed"],
)
def test_two_processes_even_if_killed_draw_the_loss_curve_of_one(
    workshop: Path, alone: Path, hardware: str, ranks: slice
) -> None:
    recipe = recipe_file(workshop, hardware, lora={"rank": 4}, **SEQUENCES)
    killed(recipe, hardware, ranks=ranks)
    run = finished(recipe, hardware)
    assert losses(run) == pytest.approx(losses(alone), rel=1e-5)
    expected = weights(alone)
    assert weights(run).keys() == expected.keys()
    for name, value in weights(run).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-5)
    if hardware == "fsdp":  # and not, in silence, what ddp_cpu does
        assert list(run.glob("train/checkpoint-*/pytorch_model_fsdp*"))


def test_fsdp_without_a_gpu_is_not_replaced_in_silence(workshop: Path) -> None:
    recipe = recipe_file(workshop, "no_gpu", lora={"rank": 4})
    process = launch(recipe, "fsdp", env=os.environ | {"OMP_NUM_THREADS": "1"})
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "accelerate launch asks for FSDP, but the processes run MULTI_" in output


def test_zero_goes_on_with_the_same_processes_only(workshop: Path) -> None:
    recipe = recipe_file(workshop, "fewer", lora={"rank": 4})
    killed(recipe, "zero2")
    said = refusal(recipe, "zero2", processes=1)
    assert "was written by 2 process(es), but 1 are training now" in said
    said = refusal(recipe, "ddp_cpu")
    assert "was written with ZeRO-2, but this start uses no sharding" in said


def test_without_sharding_one_process_goes_on_where_two_were(workshop: Path, alone: Path) -> None:
    recipe = recipe_file(workshop, "fewer_ddp", lora={"rank": 4}, **SEQUENCES)
    killed(recipe, "ddp_cpu")
    assert losses(finished(recipe)) == pytest.approx(losses(alone), rel=1e-5)


def test_a_batch_that_processes_cannot_share_is_refused(workshop: Path) -> None:
    recipe = recipe_file(workshop, "odd", batch_size=9, micro_batch_size=3)
    process = launch(recipe, "ddp_cpu")
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "train.batch_size is 9, which 2 processes cannot share evenly" in output
