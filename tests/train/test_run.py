"""Whole training runs of one process: what they learn, leave behind, and survive."""

import json
import os
import resource
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from fmau.train.record import read_record
from tests.train.workshop import (
    FRAMES,
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
def unbroken(workshop: Path) -> Path:
    return finished(recipe_file(workshop, "unbroken", **SEQUENCES))


def test_a_run_learns_validates_and_leaves_an_adapter(unbroken: Path) -> None:
    curve = losses(unbroken)
    assert curve[-1] < curve[0]
    history = json.loads((unbroken / "training.json").read_text("utf-8"))
    validations = [row for row in history if "eval_score" in row]
    assert [row["step"] for row in validations] == [*range(2, len(curve), 2), len(curve)]
    assert all(0 <= row["eval_score"] <= 100 for row in validations)
    left = {path.name for path in (unbroken / "adapter").iterdir()}
    assert "training.yaml" in left
    assert not [name for name in left if name.endswith(".bin")], "no pickle"
    assert any(".lora_B." in name and tensor.any() for name, tensor in weights(unbroken).items())


def test_a_killed_run_ends_with_the_weights_of_an_unbroken_one(
    workshop: Path, unbroken: Path
) -> None:
    recipe = recipe_file(workshop, "killed", **SEQUENCES)
    killed(recipe)
    run = finished(recipe)
    assert losses(run) == losses(unbroken)
    expected = weights(unbroken)
    assert all(torch.equal(expected[name], value) for name, value in weights(run).items())


def test_recomputed_activations_in_half_precision_learn_what_full_precision_does(
    workshop: Path,
) -> None:
    """As on GPUs: frozen weights in bfloat16, checkpointing, packed sequences; and a kill."""
    plain: dict[str, Any] = {"lora": {"rank": 4}, "learning_rate": 0.001, **SEQUENCES}
    full = finished(recipe_file(workshop, "full_precision", **plain))
    recipe = recipe_file(
        workshop, "half_precision", dtype="bfloat16", gradient_checkpointing=True, **plain
    )
    killed(recipe)
    half = finished(recipe)
    assert losses(half) == pytest.approx(losses(full), rel=0.02)
    expected, got = weights(full), weights(half)
    assert expected.keys() == got.keys()
    for name, value in got.items():
        assert value.dtype == torch.float32
        assert value.any(), f"{name} has not learned"
        # The first steps of Adam go by the signs of the gradients: a wrong gradient turns half.
        close = torch.cosine_similarity(value.flatten(), expected[name].flatten(), dim=0)
        assert close > 0.98, name


def test_a_run_goes_on_with_what_it_started_with_and_is_not_rewritten(
    workshop: Path, unbroken: Path
) -> None:
    recipe = recipe_file(workshop, "other", **SEQUENCES)
    killed(recipe)
    run = workshop / "runs" / "other"
    recipe_file(workshop, "other", **SEQUENCES, learning_rate=0.02)
    assert "train.learning_rate: 0.01 -> 0.02" in refusal(recipe)
    recipe_file(workshop, "other", **SEQUENCES)
    optimizer = run / "train" / "checkpoint-2" / "optimizer.pt"
    hidden = optimizer.rename(workshop / "optimizer.pt")
    assert f"{optimizer}: is missing" in refusal(recipe)
    hidden.rename(optimizer)
    assert losses(finished(recipe)) == losses(unbroken)
    kept = {path.name: path.read_bytes() for path in (run / "adapter").iterdir() if path.is_file()}
    recipe_file(workshop, "other", **SEQUENCES, lora={"rank": 4, "alpha": 256, "dropout": 0.1})
    assert "train.lora.alpha: 32.0 -> 256.0" in refusal(recipe)
    recipe_file(workshop, "other", **SEQUENCES)
    finished(recipe)
    assert kept == {name: (run / "adapter" / name).read_bytes() for name in kept}


def test_a_moved_run_still_keeps_its_best_weights(workshop: Path) -> None:
    """At a rate of (almost) 0 no later validation is better than the first one."""
    train = {"learning_rate": 1e-30, "steps_between_validations": 1, **SEQUENCES}
    recipe = recipe_file(workshop, "moved", **train)
    killed(recipe)
    tree = yaml.safe_load(recipe.read_text("utf-8")) | {"runs": str(workshop / "elsewhere")}
    recipe.write_text(yaml.safe_dump(tree), "utf-8")
    (workshop / "elsewhere").mkdir()
    (workshop / "runs" / "moved").rename(workshop / "elsewhere" / "moved")
    process = launch(recipe)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-3000:]
    record = read_record(workshop / "elsewhere" / "moved" / "adapter")
    assert record is not None
    assert record.best_step == 1
    best = workshop / "elsewhere" / "moved" / "train" / "checkpoint-1"
    assert (best / "complete").exists()


def test_a_diverging_run_stops_and_keeps_its_last_good_checkpoint(workshop: Path) -> None:
    # The first step warms up at rate 0, the second one throws the weights away.
    recipe = recipe_file(workshop, "diverging", learning_rate=1e30, steps_between_validations=1)
    process = launch(recipe)
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "error: the model has diverged" in output
    assert "fmau/train" not in output, "no traceback of ours"
    run = workshop / "runs" / "diverging"
    kept = [path.parent.name for path in run.glob("train/*/complete")]
    assert kept == ["checkpoint-1"]
    assert not (run / "adapter").exists()


def test_damaged_frames_stop_the_run_by_name_and_it_goes_on_once_they_are_sound(
    workshop: Path, unbroken: Path
) -> None:
    cache = workshop / "damaged_cache"
    shutil.copytree(workshop / "cache", cache)
    (shard,) = cache.glob("shard-*.arrow")
    sound = shard.read_bytes()
    data = yaml.safe_load((workshop / "unbroken.yaml").read_text("utf-8"))["train"]["data"]
    recipe = recipe_file(workshop, "damaged", **SEQUENCES, data=data | {"cache": str(cache)})
    # Every JPEG ends alike. The first clip stays sound: the plan has a look at it.
    *first, rest = sound.split(b"\xff\xd9", FRAMES["count"])
    shard.write_bytes(b"\xff\xd9".join([*first, rest.replace(b"\xff\xd9", b"\xff\xd8")]))
    process = launch(recipe)
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "the checksum does not match; delete the shard" in output
    said, continues, _ = output.partition("error:")[2].partition("it continues from the last")
    assert continues
    assert "Traceback" not in said
    assert not (workshop / "runs" / "damaged" / "adapter").exists()
    shard.write_bytes(sound)
    assert losses(finished(recipe)) == losses(unbroken)


def test_a_full_disk_stops_the_run_with_its_last_good_checkpoint(workshop: Path) -> None:
    """No file may grow beyond a size that the optimizer's state exceeds: the write itself fails."""
    # A rank at which the optimizer's file is larger than a batch, which travels as a file too.
    recipe = recipe_file(workshop, "full", **SEQUENCES, lora={"rank": 32})
    killed(recipe)
    folder = workshop / "runs" / "full" / "train"
    limit = (folder / "checkpoint-2" / "optimizer.pt").stat().st_size - 1024

    def bounded() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = launch(recipe, preexec_fn=bounded)
    output, _ = process.communicate(timeout=150)
    assert process.returncode != 0
    assert "the checkpoint of step 4 cannot be written" in output, output[-3000:]
    assert [path.name for path in folder.glob("checkpoint-*")] == ["checkpoint-2"]
    assert (finished(recipe) / "adapter").exists(), "with room, it goes on"


def test_training_stops_early_when_validation_no_longer_improves(workshop: Path) -> None:
    """At rate (almost) 0 nothing changes, so the second validation is no better than the first."""
    recipe = recipe_file(workshop, "early", learning_rate=1e-30, patience=1, epochs=5, **SEQUENCES)
    run = finished(recipe)
    history = json.loads((run / "training.json").read_text("utf-8"))
    validated = [row["step"] for row in history if "eval_score" in row]
    assert validated == [2, 4]
    record = read_record(run / "adapter")
    assert record is not None
    assert (record.steps, record.best_step) == (4, 2)


@pytest.mark.usefixtures("unbroken")  # whose recipe is changed here
def test_without_validation_clips_the_last_weights_are_kept(workshop: Path) -> None:
    data = yaml.safe_load((workshop / "unbroken.yaml").read_text("utf-8"))["train"]["data"]
    recipe = recipe_file(workshop, "unseen", **SEQUENCES, data=data | {"validation_share": 0.0})
    record = read_record(finished(recipe) / "adapter")
    assert record is not None
    assert record.best_step is None
    assert record.validation == {}
    assert record.steps == len(losses(workshop / "runs" / "unseen"))


def test_weights_and_biases_is_asked_by_the_switch(workshop: Path) -> None:
    """With the package the run goes on, offline; without it, the recipe is refused at once."""
    train = {"wandb": True, **SEQUENCES}
    environment = os.environ | {"OMP_NUM_THREADS": "1", "WANDB_MODE": "offline"}
    process = launch(recipe_file(workshop, "wandb", **train), env=environment)
    output, _ = process.communicate(timeout=300)
    if find_spec("wandb") is None:
        assert process.returncode != 0
        assert "train.wandb needs the package wandb" in output
    else:
        assert process.returncode == 0, output[-3000:]
