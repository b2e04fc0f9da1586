"""The checkpoint that ships: small, whole, the real architecture, and better than guessing."""

from pathlib import Path

import pytest

from fmau.tiny import CHECKPOINT

pytestmark = pytest.mark.slow

LIMIT_BYTES = 12 * 2**20
CLIPS = 70


@pytest.fixture(scope="module")
def model_and_processor():  # type: ignore[no-untyped-def]
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


def test_every_weight_is_finite(model_and_processor) -> None:  # type: ignore[no-untyped-def]
    model, _ = model_and_processor
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_it_sees_more_than_the_text_says(
    model_and_processor,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    """On people it never saw: groups far above chance, and letters found when the text tells."""
    from fmau.prompts import load_prompts
    from fmau.tiny.__main__ import FRAMES
    from fmau.tiny.lessons import LessonPool, build_pool
    from fmau.tiny.train import held_out_accuracy

    root = Path(__file__).resolve().parents[2]
    prompts = load_prompts("brief", root / "prompts")
    build_pool(tmp_path / "p", clips=CLIPS, seed=77, prompts=prompts, frames=FRAMES, workers=1)
    pool = LessonPool(tmp_path / "p")
    model, processor = model_and_processor
    accuracy = held_out_accuracy(model, processor, [pool[place] for place in range(CLIPS)])
    # Chance is 1/7; three standard errors above it on 70 clips is 0.27.
    assert accuracy["CMAR"] > 0.27
    assert accuracy["hint"] > 0.9
