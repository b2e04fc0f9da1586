"""Counts the visual tokens of a clip in a prompt; all other modules use these functions.

Qwen3-VL's vision tower fuses two frames into one group. Each cell of 32 x 32 pixels of a group
becomes one token.
"""

from math import prod

from fmau.recipe import PIXEL_FACTOR, TEMPORAL_PATCH, FramesBlock


def token_grid(frames: int, height: int, width: int) -> tuple[int, int, int]:
    """(groups of two frames, rows of cells, columns of cells) of a clip.

    Args:
        frames: number of frames; even.
        height, width: of every frame, in pixels; multiples of 32.
    """
    return frames // TEMPORAL_PATCH, height // PIXEL_FACTOR, width // PIXEL_FACTOR


def visual_tokens(frames: int, height: int, width: int) -> int:
    """Number of visual tokens of a clip; the time stamps between its groups are not counted."""
    return prod(token_grid(frames, height, width))


def image_tokens(frames: int, height: int, width: int) -> int:
    """Number of visual tokens of frames that are sent as images: an image is a group of its own."""
    _, rows, columns = token_grid(frames, height, width)
    return frames * rows * columns


def most_visual_tokens(spec: FramesBlock, *, as_images: bool = False) -> int:
    """Number of visual tokens of the largest clip that the settings allow.

    Args:
        as_images: the frames are sent as images, not as a video.
    """
    groups, _, _ = token_grid(spec.count, PIXEL_FACTOR, PIXEL_FACTOR)
    groups = spec.count if as_images else groups
    return groups * (spec.max_pixels_per_frame // PIXEL_FACTOR**2)
