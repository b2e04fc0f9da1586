"""Counts the visual tokens of a clip in a prompt; all other modules use these functions.

A model fuses `frames.group` frames into one group. Each cell of `frames.cell` x `frames.cell`
pixels of a group becomes one token.
"""

from math import prod

from fmau.recipe import FramesBlock


def token_grid(spec: FramesBlock, frames: int, height: int, width: int) -> tuple[int, int, int]:
    """(groups of frames, rows of cells, columns of cells) of a clip.

    Args:
        frames: number of frames; a multiple of the group.
        height, width: of every frame, in pixels; multiples of the cell.
    """
    return frames // spec.group, height // spec.cell, width // spec.cell


def visual_tokens(spec: FramesBlock, frames: int, height: int, width: int) -> int:
    """Number of visual tokens of a clip; the time stamps between its groups are not counted."""
    return prod(token_grid(spec, frames, height, width))


def image_tokens(spec: FramesBlock, frames: int, height: int, width: int) -> int:
    """Number of visual tokens of frames that are sent as images: an image is a group of its own."""
    _, rows, columns = token_grid(spec, frames, height, width)
    return frames * rows * columns


def most_visual_tokens(spec: FramesBlock, *, as_images: bool = False) -> int:
    """Number of visual tokens of the largest clip that the settings allow.

    Args:
        as_images: the frames are sent as images, not as a video.
    """
    groups, _, _ = token_grid(spec, spec.count, spec.cell, spec.cell)
    groups = spec.count if as_images else groups
    return groups * (spec.max_pixels_per_frame // spec.cell**2)
