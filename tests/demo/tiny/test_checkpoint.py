"""The checkpoint that ships: small, whole, and of the real architecture."""

from pathlib import Path
from typing import Any

import pytest

from fmau.demo.tiny import CHECKPOINT
from fmau.demo.tiny.__main__ import FRAMES
from fmau.demo.tiny.lessons import LessonPool, build_pool
from fmau.demo.tiny.train import held_out_accuracy
from fmau.prompting.prompts import load_prompts

pytestmark = pytest.mark.slow

LIMIT_BYTES = 12 * 2**20


@pytest.fixture(scope="module")
def model_and_processor() -> Any:
    import torch
    from transformers import AutoProcessor, Qwen3VLForConditionalGeneration

    model, report = Qwen3VLForConditionalGeneration.from_pretrained(
        CHECKPOINT, dtype=torch.float32, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    return model, AutoProcessor.from_pretrained(CHECKPOINT)


def test_it_is_small_enough_to_live_in_the_project() -> None:
    assert sum(path.stat().st_size for path in CHECKPOINT.iterdir()) <= LIMIT_BYTES


def test_every_weight_is_finite(model_and_processor: Any) -> None:
    model, _ = model_and_processor
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_it_names_groups_and_finds_letters_better_than_chance(
    model_and_processor: Any,
    tmp_path: Path,
) -> None:
    """On people whom it has never seen, by three standard errors. A hint tells the answer in words;
    chance is at most 1 in 5."""
    clips = 70
    build_pool(
        tmp_path / "clips",
        clips=clips,
        seed=77,
        prompts=load_prompts("brief"),
        spec=FRAMES,
        workers=2,
    )
    pool = LessonPool(tmp_path / "clips")
    model, processor = model_and_processor
    found = held_out_accuracy(model, processor, [pool[place] for place in range(clips)])
    for kind, chance in (("CMAR", 1 / 7), ("hint", 1 / 5)):
        assert found[kind] > chance + 3 * (chance * (1 - chance) / clips) ** 0.5, found
