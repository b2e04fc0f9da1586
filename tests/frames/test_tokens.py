"""The count of visual tokens, against the cells counted one by one and the real processor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmau.frames.tokens import most_visual_tokens, token_grid, visual_tokens
from fmau.recipe import FramesBlock
from tests.processors import small_processor

SPEC = FramesBlock(min_pixels_per_frame=1024, max_pixels_per_frame=1024)


@given(pairs=st.integers(1, 16), rows=st.integers(1, 20), columns=st.integers(1, 20))
def test_a_token_stands_for_two_frames_of_a_cell(pairs: int, rows: int, columns: int) -> None:
    cells = {
        (frame // 2, y // 32, x // 32)
        for frame in range(2 * pairs)
        for y in range(0, 32 * rows, 32)
        for x in range(0, 32 * columns, 32)
    }
    assert visual_tokens(SPEC, 2 * pairs, 32 * rows, 32 * columns) == len(cells)
    assert token_grid(SPEC, 2 * pairs, 32 * rows, 32 * columns) == (pairs, rows, columns)


@pytest.mark.parametrize(
    ("count", "pixels", "tokens"), [(8, 65536, 256), (2, 1024, 1), (16, 3071, 16)]
)
def test_the_largest_clip_that_a_recipe_lets_through(count: int, pixels: int, tokens: int) -> None:
    spec = FramesBlock(count=count, min_pixels_per_frame=1024, max_pixels_per_frame=pixels)
    assert most_visual_tokens(spec) == tokens


def test_the_processor_counts_alike() -> None:
    import torch

    processor = small_processor()
    inputs = processor(
        text=["<|vision_start|><|video_pad|><|vision_end|>"],
        videos=[torch.zeros(6, 3, 96, 160, dtype=torch.uint8)],
        video_metadata=[{"total_num_frames": 6, "fps": 30, "frames_indices": list(range(6))}],
        do_sample_frames=False,
        do_resize=False,
        return_tensors="pt",
    )
    shown = int((inputs["input_ids"] == processor.video_token_id).sum())
    assert visual_tokens(SPEC, 6, 96, 160) == shown == 3 * 3 * 5
