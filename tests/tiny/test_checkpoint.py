"""The checkpoint that ships: small, whole, and of the real architecture."""

import pytest

from fmau.tiny import CHECKPOINT

pytestmark = pytest.mark.slow

LIMIT_BYTES = 12 * 2**20


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
