"""Resizes frames to the size at which the model sees them, for `fmau.frames.clip`.

Sides become multiples of 32, and the aspect ratio is kept. The size follows the rule of
qwen-vl-utils. The filter is that of Transformers' Qwen3-VL processor: torchvision's bicubic on
bytes, with antialiasing. qwen-vl-utils uses Pillow's filter for images, which differs only by
rounding and takes eight times as long.

Axes: T frames, H height, W width, C red-green-blue.
"""

import numpy as np
from numpy.typing import NDArray

from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.recipe import FramesBlock


def target_size(height: int, width: int, spec: FramesBlock) -> tuple[int, int]:
    """Height and width after resizing, in pixels.

    Raises:
        ValueError: the frame is too long and thin to be resized; the text names a remedy.
    """
    if spec.square:
        return spec.side, spec.side
    # Imported here because qwen-vl-utils imports torch, which takes seconds.
    ensure_torchvision()
    from qwen_vl_utils.vision_process import MAX_RATIO, smart_resize

    if max(height, width) > MAX_RATIO * min(height, width):
        raise ValueError(
            f"frames of {width}x{height} are too long and thin for Qwen models, which accept side "
            f"ratios up to {MAX_RATIO}:1; crop the clip"
        )
    new_height, new_width = smart_resize(
        height,
        width,
        factor=spec.cell,
        min_pixels=spec.min_pixels_per_frame,
        max_pixels=spec.max_pixels_per_frame,
    )
    if not (new_height and new_width):
        raise ValueError(
            f"frames of {width}x{height}, shrunk to {spec.max_pixels_per_frame} pixels, are less "
            f"than {spec.cell} pixels wide or high; increase frames.max_pixels_per_frame"
        )
    return new_height, new_width


def resize(pixels_THWC: NDArray[np.uint8], spec: FramesBlock) -> NDArray[np.uint8]:
    """Resize frames to their `target_size`; returns pixels_THWC.

    Raises:
        ValueError: as `target_size`.
    """
    _, height, width, _ = pixels_THWC.shape
    size = target_size(height, width, spec)
    import torch
    from torchvision.transforms.v2 import functional as tv

    resized_TCHW = tv.resize(
        torch.from_numpy(pixels_THWC).permute(0, 3, 1, 2),
        list(size),
        interpolation=tv.InterpolationMode.BICUBIC,
        antialias=True,
    )
    resized_THWC: NDArray[np.uint8] = resized_TCHW.permute(0, 2, 3, 1).numpy()
    return resized_THWC
