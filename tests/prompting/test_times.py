"""Times as text between images."""

import pytest

from fmau.prompting.times import timed_images


def test_each_image_stands_after_its_time() -> None:
    images = [{"type": "image_url", "image_url": {"url": url}} for url in ("a", "b")]
    assert timed_images(images, [0.0, 1.2667]) == [
        {"type": "text", "text": "0.0 seconds"},
        images[0],
        {"type": "text", "text": "1.3 seconds"},
        images[1],
    ]


def test_every_image_needs_a_time() -> None:
    with pytest.raises(ValueError, match="shorter"):
        timed_images([{}, {}], [0.0])
