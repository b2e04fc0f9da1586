"""Training in two processes against training in one."""

from pathlib import Path

import pytest
import torch

from tests.train.workshop import finished, furnish, killed, launch, losses, recipe_file, weights

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def alone(workshop: Path) -> Path:
    """One process, without dropout, whose random numbers differ between processes."""
    return finished(recipe_file(workshop, "alone", lora={"rank": 4}))


@pytest.mark.parametrize(
    ("hardware", "ranks"),
    [("ddp_cpu", slice(None)), ("zero2", slice(1)), ("zero3", slice(1, 2))],
    ids=["ddp, both killed", "zero2, first killed", "zero3, second killed"],
)
def test_two_processes_even_if_killed_draw_the_loss_curve_of_one(
    workshop: Path, alone: Path, hardware: str, ranks: slice
) -> None:
    recipe = recipe_file(workshop, hardware, lora={"rank": 4})
    killed(recipe, hardware, ranks=ranks)
    run = finished(recipe, hardware)
    assert losses(run) == pytest.approx(losses(alone), rel=1e-5)
    expected = weights(alone)
    assert weights(run).keys() == expected.keys()
    for name, value in weights(run).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-5)


def test_a_batch_that_processes_cannot_share_is_refused(workshop: Path) -> None:
    recipe = recipe_file(workshop, "odd", batch_size=12, micro_batch_size=4)
    process = launch(recipe, "ddp_cpu")
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "train.batch_size is 12, no multiple of" in output
