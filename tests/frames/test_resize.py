import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.frames.resize import resize, target_size
from fmau.recipe import FramesBlock
from tests.clips import numbered_frame

ensure_torchvision()

from qwen_vl_utils.vision_process import fetch_image  # noqa: E402
from transformers import Qwen3VLVideoProcessor  # noqa: E402
from transformers.image_utils import SizeDict  # noqa: E402

PATCH = 16


def block(low: int, high: int) -> FramesBlock:
    return FramesBlock(min_pixels_per_frame=low, max_pixels_per_frame=high)


def frames(height: int, width: int) -> np.ndarray:
    return np.stack([numbered_frame(number, height, width) for number in (3, 77)])


@pytest.mark.parametrize(
    ("height", "width", "low", "high"),
    [(1080, 1296, 4096, 65536), (96, 130, 65536, 131072), (333, 501, 4096, 262144)],
)
def test_frames_are_those_of_qwen_vl_utils_for_images_but_for_rounding(
    height: int, width: int, low: int, high: int
) -> None:
    pixels_THWC = frames(height, width)
    ours_THWC = resize(pixels_THWC, block(low, high))
    theirs = []
    for pixels_HWC in pixels_THWC:
        part = {"image": Image.fromarray(pixels_HWC), "min_pixels": low, "max_pixels": high}
        theirs.append(np.asarray(fetch_image(part, image_patch_size=PATCH)))
    assert ours_THWC.shape == np.shape(theirs)
    differences = np.abs(ours_THWC.astype(int) - np.stack(theirs))
    # Pillow clips twice: it shows at the corners of the bars, where the filter overshoots.
    assert differences.max() <= 12
    assert differences.mean() < 0.05


def test_frames_equal_those_of_the_video_processor() -> None:
    pixels_THWC = frames(540, 648)
    count = len(pixels_THWC)
    theirs_BTCHW = Qwen3VLVideoProcessor().resize(
        torch.from_numpy(pixels_THWC).permute(0, 3, 1, 2)[None],
        size=SizeDict(shortest_edge=count * 4096, longest_edge=count * 65536),
        resample=Image.Resampling.BICUBIC,
        factor=2 * PATCH,
        temporal_factor=2,
    )
    ours_THWC = resize(pixels_THWC, block(4096, 65536))
    np.testing.assert_array_equal(ours_THWC, theirs_BTCHW[0].permute(0, 2, 3, 1).numpy())


@settings(deadline=None)
@given(
    st.integers(48, 2160),
    st.floats(0.4, 2.5),
    st.integers(16, 256),
    st.integers(4, 8),
)
def test_sizes_fit_the_bounds_and_keep_the_aspect(
    height: int, aspect: float, low_tokens: int, spread: int
) -> None:
    width = round(height * aspect)
    low, high = low_tokens * 1024, low_tokens * spread * 1024
    new_height, new_width = target_size(height, width, block(low, high))
    assert new_height % 32 == 0
    assert new_width % 32 == 0
    assert low <= new_height * new_width <= high
    # At one scale for both, neither side is off by more than the rounding to multiples of 32.
    scale = np.sqrt(new_height * new_width / (height * width))
    assert abs(new_height - height * scale) < 1.5 * 32
    assert abs(new_width - width * scale) < 1.5 * 32


def test_a_fitting_size_is_left_alone() -> None:
    assert target_size(224, 192, block(1024, 224 * 192)) == (224, 192)


@pytest.mark.parametrize(
    ("height", "width", "reason"),
    [
        (2, 500, "500x2 are too long and thin for Qwen models, .* up to 200:1; crop"),
        (32, 6300, "shrunk to 4096 pixels, .* less than 32 pixels wide or high; increase"),
    ],
)
def test_frames_too_long_and_thin_are_refused(height: int, width: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        target_size(height, width, block(1024, 4096))
