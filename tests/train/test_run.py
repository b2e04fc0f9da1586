"""Whole training runs at the smallest size, started as users start them."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml
from safetensors.torch import load_file

from fmau.core.taxonomy import actions
from fmau.demo.tiny.model import new_model, save_checkpoint
from fmau.frames.cache import build_cache
from fmau.recipe import FramesBlock
from fmau.train.record import read_record
from tests.clips import write_clip
from tests.paths import PROMPTS, RECIPES, REPO
from tests.processors import small_processor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FRAMES = {"count": 4, "min_pixels_per_frame": 1024, "max_pixels_per_frame": 4096}
CLIPS = 24
SEQUENCES = {"examples_per_sequence": 3, "batch_size": 4, "micro_batch_size": 2}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random tiny model, captioned clips, and their frames."""
    folder = tmp_path_factory.mktemp("training")
    processor = small_processor()
    save_checkpoint(new_model(processor.tokenizer, seed=0), processor, folder / "model")
    (folder / "clips").mkdir()
    rows = []
    for number in range(CLIPS):
        write_clip(folder / "clips" / f"c{number}.mp4", 12, height=64, width=64)
        action = actions()[number % len(actions())]
        fields = (
            "overall_overview",
            "timeline_description",
            "key_part_details",
            "judgment_basis",
            "conclusive_summary",
        )
        rows.append(
            {
                "video": f"c{number}.mp4",
                "participant": f"p{number // 4}",
                "caption": {field: f"The {action.part} moves, {field}." for field in fields},
                "coarse": action.part,
                "fine": action.label,
            }
        )
    (folder / "captions.json").write_text(json.dumps(rows), "utf-8")
    (folder / "questions.json").write_text(
        json.dumps(
            [
                {
                    "qid": "SAD_1",
                    "video_name": "other",
                    "task": "SAD",
                    "question": "Does the head move?",
                }
            ]
        ),
        "utf-8",
    )
    clips = {f"c{number}": folder / "clips" / f"c{number}.mp4" for number in range(CLIPS)}
    summary = build_cache(folder / "cache", clips, FramesBlock(**FRAMES), workers=1)
    assert not summary.failed
    return folder


def recipe_file(workshop: Path, name: str, **train: Any) -> Path:
    recipe = {
        "name": name,
        "runs": str(workshop / "runs"),
        "model": {"path": str(workshop / "model"), "dtype": "float32"},
        "data": {"questions": str(workshop / "questions.json"), "clips": str(workshop / "clips")},
        "frames": FRAMES,
        "prompt": {"set": str(PROMPTS / "brief.yaml")},
        "answer": {"max_tokens_open": 12},
        "train": {
            "data": {
                "captions": str(workshop / "captions.json"),
                "clips": str(workshop / "clips"),
                "cache": str(workshop / "cache"),
                "benchmarks": [str(workshop / "questions.json")],
                "validation_share": 0.2,
            },
            "mixture": {"caption": 0.5, "CMAR": 1, "FMAR": 1},
            "lora": {"rank": 4, "dropout": 0.1},
            "batch_size": 8,
            "micro_batch_size": 4,
            "learning_rate": 0.01,
            "gradient_checkpointing": False,
            "steps_between_validations": 2,
            "validation_examples": 8,
            "validation_replies": 4,
        }
        | train,
    }
    path = workshop / f"{name}.yaml"
    path.write_text(yaml.safe_dump(recipe), "utf-8")
    return path


def launch(recipe: Path, hardware: str = "single", **options: Any) -> subprocess.Popen[str]:
    config = RECIPES / "accelerate" / f"{hardware}.yaml"
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config)]
    if hardware != "single":
        command += ["--num_processes", "2"]
    return subprocess.Popen(
        [*command, "-m", "fmau.train", str(recipe)],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **({"env": os.environ | {"OMP_NUM_THREADS": "1"}} | options),
    )


def finished(recipe: Path, hardware: str = "single") -> Path:
    """Run to the end; the run folder."""
    process = launch(recipe, hardware)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output[-3000:]
    return recipe.parent / "runs" / recipe.stem


def losses(run: Path) -> list[float]:
    history = json.loads((run / "training.json").read_text("utf-8"))
    return [row["loss"] for row in history if "loss" in row]


def weights(run: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(run / "adapter" / "adapter_model.safetensors")
    return found


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


def killed(recipe: Path, hardware: str = "single", *, ranks: slice = slice(None)) -> None:
    """Start a run and kill these of its processes as soon as its first checkpoint is there."""
    process = launch(recipe, hardware)
    run = recipe.parent / "runs" / recipe.stem
    marker = run / "train" / "checkpoint-2" / "complete"
    deadline = time.monotonic() + 300
    while not marker.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    for worker in workers(process)[ranks]:
        worker.kill()
    output, _ = process.communicate(timeout=120)
    assert marker.exists(), output[-3000:]
    assert not (run / "adapter").exists()


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that train, without the launcher and what serves them data."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "fmau.train" in child.cmdline()]


def test_a_killed_run_ends_with_the_weights_of_an_unbroken_one(
    workshop: Path, unbroken: Path
) -> None:
    recipe = recipe_file(workshop, "killed", **SEQUENCES)
    killed(recipe)
    run = finished(recipe)
    assert losses(run) == losses(unbroken)
    expected = weights(unbroken)
    assert all(torch.equal(expected[name], value) for name, value in weights(run).items())


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
    assert "Traceback" not in output.partition("error:")[2].partition("goes on from the last")[0]
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


def test_without_validation_clips_the_last_weights_are_kept(workshop: Path) -> None:
    data = yaml.safe_load((workshop / "alone.yaml").read_text("utf-8"))["train"]["data"]
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
