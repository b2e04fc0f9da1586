"""Whole training runs at the smallest size, started as users start them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import torch
import yaml
from safetensors.torch import load_file

from fmau.core.taxonomy import actions
from fmau.dataset.captions import FIELDS
from fmau.demo.tiny.model import save_checkpoint
from fmau.frames.cache import build_cache
from fmau.recipe import FramesBlock
from tests.clips import write_clip
from tests.paths import PROMPTS, RECIPES, REPO
from tests.processors import small_model, small_processor

FRAMES: dict[str, Any] = {"count": 4, "min_pixels_per_frame": 1024, "max_pixels_per_frame": 4096}
CLIPS = 24
SEQUENCES: dict[str, Any] = {"examples_per_sequence": 3, "batch_size": 4, "micro_batch_size": 2}


def furnish(folder: Path) -> Path:
    """Put a random tiny model, captioned clips and their frames into `folder`; returns it."""
    processor = small_processor()
    save_checkpoint(small_model(), processor, folder / "model")
    (folder / "clips").mkdir()
    rows = []
    for number in range(CLIPS):
        write_clip(folder / "clips" / f"c{number}.mp4", 12, height=64, width=64)
        action = actions()[number % len(actions())]
        rows.append(
            {
                "video": f"c{number}.mp4",
                "participant": f"p{number // 4}",
                "caption": {field: f"The {action.part} moves, {field}." for field in FIELDS},
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


def recipe_file(workshop: Path, name: str, *, dtype: str = "float32", **train: Any) -> Path:
    recipe = {
        "name": name,
        "runs": str(workshop / "runs"),
        "model": {"path": str(workshop / "model"), "dtype": dtype},
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


FSDP_ON_CPU = Path(__file__).parent / "fsdp_on_cpu"
"""Folder with a `sitecustomize` that lets Accelerate run FSDP2 without a GPU."""


def launch(
    recipe: Path, hardware: str = "single", processes: int = 2, **options: Any
) -> subprocess.Popen[str]:
    """Start training; `processes` of them, unless `hardware` is "single".

    Args:
        hardware: name of a config in recipes/accelerate; "fsdp" is made to run on a CPU.
    """
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    if hardware == "fsdp":
        env["PYTHONPATH"] = os.pathsep.join([str(FSDP_ON_CPU), env.get("PYTHONPATH", "")])
    config = RECIPES / "accelerate" / f"{hardware}.yaml"
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config)]
    if hardware != "single":
        command += ["--num_processes", str(processes)]
    return subprocess.Popen(
        [*command, "-m", "fmau.train", str(recipe)],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **({"env": env} | options),
    )


def finished(recipe: Path, hardware: str = "single") -> Path:
    """Run to the end; the run folder."""
    process = launch(recipe, hardware)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output[-3000:]
    return recipe.parent / "runs" / recipe.stem


def refusal(recipe: Path, hardware: str = "single", processes: int = 2) -> str:
    """The error of a start that must fail without a traceback of fmau's own."""
    process = launch(recipe, hardware, processes)
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0, output[-3000:]
    said = output.partition("error: ")[2]
    assert said, output[-3000:]
    assert "fmau/train/run.py" not in said, said
    return said


def losses(run: Path) -> list[float]:
    history = json.loads((run / "training.json").read_text("utf-8"))
    return [row["loss"] for row in history if "loss" in row]


def weights(run: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(run / "adapter" / "adapter_model.safetensors")
    return found


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
