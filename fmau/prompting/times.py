"""The times of frames as text of the prompt, for models that are sent frames as single images.

A video carries its times, and the model's processor writes them into the prompt. Behind an API
there is only a row of images. So the time of each frame is a text of its own before it, in the
words of this module and no other. They are a condition of a run (`fmau.runs.conditions`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

TIME = "{seconds:.1f} seconds"
"""The text before a frame: seconds after the clip's first frame, with one decimal, as the
processors of models for videos write them."""


def timed_images(
    images: Sequence[Mapping[str, Any]], times_s: Sequence[float]
) -> list[dict[str, Any]]:
    """Content parts of a user turn: the time of each image as a text, then the image.

    Args:
        images: one content part for each frame, in order.
        times_s: when each frame is shown, in seconds after the clip's first frame.
    """
    parts: list[dict[str, Any]] = []
    for image, seconds in zip(images, times_s, strict=True):
        parts += [{"type": "text", "text": TIME.format(seconds=seconds)}, dict(image)]
    return parts
