"""The whole curriculum in miniature: every stage runs, learns, logs, and leaves a checkpoint."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Qwen3VLForConditionalGeneration

from fmau.demo.tiny import train as training
from fmau.demo.tiny.__main__ import FRAMES
from fmau.demo.tiny.curriculum import STAGES, rate
from fmau.demo.tiny.lessons import LessonPool, build_pool, corpus
from fmau.demo.tiny.model import new_model, new_processor
from fmau.demo.tiny.tokenizer import train_tokenizer
from fmau.prompting.prompts import load_prompts

pytestmark = pytest.mark.slow

BRIEF = load_prompts("brief")
CLIPS, HELD_OUT = 21, 7


@pytest.fixture(scope="module")
def processor() -> Any:
    return new_processor(train_tokenizer(corpus([BRIEF], clips=52, seed=0), 600))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> LessonPool:
    folder = tmp_path_factory.mktemp("pool") / "lessons"
    build_pool(folder, clips=CLIPS, seed=1, prompts=BRIEF, spec=FRAMES, workers=1)
    return LessonPool(folder)


def test_lessons_hold_every_kind_of_every_clip(pool: LessonPool) -> None:
    assert len(pool) == CLIPS
    for clip in (pool[place] for place in range(CLIPS)):
        kinds = [lesson.kind for lesson in clip.lessons]
        assert {"CMAR", "FMAR", "SAD", "MAD", "MAS", "PPR", "MADU", "MARE"} <= set(kinds)
        assert {"part", "label"} <= set(kinds)
        assert kinds.count("hint") == 2
        assert clip.frames.pixels_THWC().shape == (8, 192, 160, 3)
        assert clip.positions.shape == (8, 42)


def test_every_stage_runs_and_the_checkpoint_loads(
    processor: Any,
    pool: LessonPool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fmau.demo.tiny.samples.HELD_OUT", HELD_OUT)
    monkeypatch.setattr(training, "LOG_STEPS", 2)
    stages = [replace(stage, steps=2, clips=min(stage.clips, 3)) for stage in STAGES]
    model = new_model(processor.tokenizer, seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    log, out = tmp_path / "log.jsonl", tmp_path / "checkpoint"
    training.train(model, processor, pool, seed=0, work=tmp_path, out=out, stages=stages)
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [row["stage"] for row in rows] == [stage.name for stage in STAGES]
    assert rows[0]["position"] > 0
    assert rows[0]["action"] == rows[0]["option"] == rows[1]["option"] == 0
    assert rows[1]["action"] > 0
    assert rows[2]["option"] > 0
    assert set(rows[-1]["held_out"]) >= {"CMAR", "FMAR", "hint"}
    after = Qwen3VLForConditionalGeneration.from_pretrained(out, dtype=torch.float32).state_dict()
    # Norms begin at 1, from where bfloat16 cannot show a few small steps.
    matrices = [name for name, value in after.items() if value.ndim > 1]
    assert not [name for name in matrices if torch.equal(before[name], after[name])]

    again = new_model(processor.tokenizer, seed=1)
    training.train(again, processor, pool, seed=0, work=tmp_path, out=tmp_path / "b", stages=stages)
    assert len(log.read_text("utf-8").splitlines()) == len(rows), "finished stages are kept"
    learned = model.state_dict()
    assert all(torch.equal(learned[name], value) for name, value in again.state_dict().items())


def test_the_rate_warms_up_and_decays_to_a_tenth() -> None:
    assert rate(0, 100) == pytest.approx(1 / 5)
    assert rate(5, 100) == pytest.approx(1.0)
    assert rate(100, 100) == pytest.approx(0.1)
