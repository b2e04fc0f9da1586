import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fmau.frames.resize import resize, target_size
from fmau.recipe import FramesBlock
from fmau.torchvision_cpu import ensure_torchvision
from tests.clips import numbered_frame

ensure_torchvision()

from qwen_vl_utils import process_vision_info  # noqa: E402
from qwen_vl_utils.vision_process import fetch_image  # noqa: E402
from torchvision.transforms import functional as tv  # noqa: E402

PATCH = 16


def block(low: int, high: int) -> FramesBlock:
    return FramesBlock(min_pixels_per_frame=low, max_pixels_per_frame=high)


def frames(height: int, width: int) -> np.ndarray:
    return np.stack([numbered_frame(number, height, width) for number in (3, 77)])


@pytest.mark.parametrize(
    ("height", "width", "low", "high"),
    [(1080, 1296, 4096, 65536), (96, 130, 65536, 131072), (333, 501, 4096, 262144)],
)
def test_frames_equal_those_of_qwen_vl_utils_for_images(
    height: int, width: int, low: int, high: int
) -> None:
    pixels_THWC = frames(height, width)
    ours = resize(pixels_THWC, block(low, high))
    for frame, pixels_HWC in zip(ours, pixels_THWC, strict=True):
        part = {"image": Image.fromarray(pixels_HWC), "min_pixels": low, "max_pixels": high}
        theirs = fetch_image(part, image_patch_size=PATCH)
        np.testing.assert_array_equal(np.asarray(frame), np.asarray(theirs))


@pytest.mark.parametrize("size", [(192, 256), (448, 384)])
def test_frames_equal_those_of_process_vision_info_in_multiples_of_64(
    size: tuple[int, int],
) -> None:
    pixels_THWC = frames(540, 648)
    height, width = size
    part = {
        "type": "video",
        "video": [Image.fromarray(pixels_HWC) for pixels_HWC in pixels_THWC],
        "resized_height": height,
        "resized_width": width,
    }
    _, (theirs_TCHW,) = process_vision_info(
        [{"role": "user", "content": [part]}], image_patch_size=PATCH
    )
    ours = [Image.fromarray(frame).resize((width, height), 3) for frame in pixels_THWC]
    np.testing.assert_array_equal(
        np.stack([np.asarray(frame) for frame in ours]),
        theirs_TCHW.permute(0, 2, 3, 1).numpy(),
    )


def test_frames_are_those_of_qwen_vl_utils_for_video_files_within_rounding() -> None:
    """That path resizes tensors with torchvision, which clips once where Pillow clips twice."""
    pixels_THWC = frames(540, 648)
    ours = resize(pixels_THWC, block(4096, 65536))
    width, height = ours[0].size
    theirs_TCHW = tv.resize(
        torch.from_numpy(pixels_THWC).permute(0, 3, 1, 2),
        [height, width],
        interpolation=tv.InterpolationMode.BICUBIC,
        antialias=True,
    )
    ours_THWC = np.stack([np.asarray(frame) for frame in ours]).astype(int)
    differences = np.abs(ours_THWC - theirs_TCHW.permute(0, 2, 3, 1).numpy())
    assert differences.max() <= 12  # at the corners of the bars, where the filter overshoots
    assert differences.mean() < 0.1
    assert np.quantile(differences, 0.99) <= 1


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
        (32, 6300, "shrunk to 4096 pixels, .* less than 32 pixels wide or high; raise"),
    ],
)
def test_frames_too_long_and_thin_are_refused(height: int, width: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        target_size(height, width, block(1024, 4096))
