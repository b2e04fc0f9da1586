"""Visual tokens: how many a clip takes in a prompt. The one place that counts them.

Qwen3-VL's vision tower fuses two frames into one group, and each cell of 32 x 32 pixels of a group
becomes one token.
"""

from math import prod

from fmau.recipe import PIXEL_FACTOR, TEMPORAL_PATCH, FramesBlock


def token_grid(frames: int, height: int, width: int) -> tuple[int, int, int]:
    """Groups of frames, and rows and columns of cells in each.

    Args:
        frames: even.
        height, width: of every frame, in pixels; multiples of 32.
    """
    return frames // TEMPORAL_PATCH, height // PIXEL_FACTOR, width // PIXEL_FACTOR


def visual_tokens(frames: int, height: int, width: int) -> int:
    """Tokens of a clip in a prompt, without the times written between its groups."""
    return prod(token_grid(frames, height, width))


def most_visual_tokens(spec: FramesBlock) -> int:
    """Tokens of the largest clip that a recipe lets through."""
    groups, _, _ = token_grid(spec.count, PIXEL_FACTOR, PIXEL_FACTOR)
    return groups * (spec.max_pixels_per_frame // PIXEL_FACTOR**2)
