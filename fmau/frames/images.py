"""A clip's frames as images of a chat request, one part a frame, in place of one video part.

Models and servers that take no video are asked so, and the challenge's starter kit asks so. The
model gets no times then, and each frame costs as many tokens as a pair of frames in a video.
"""

import base64
import hashlib
from typing import Any

from fmau.frames.clip import ClipFrames


def distinct_frames(frames: ClipFrames) -> tuple[bytes, ...]:
    """The JPEG files of a clip's frames without repeats, in order.

    A clip shorter than the number of frames repeats some, because a video has to have all of them.
    """
    by_index = dict(zip(frames.indices, frames.jpegs, strict=True))
    return tuple(by_index.values())


def distinct_times(frames: ClipFrames) -> tuple[float, ...]:
    """The times of `distinct_frames`, in seconds after the clip's first frame."""
    return tuple(index / frames.fps for index in dict.fromkeys(frames.indices))


def image_parts(
    frames: ClipFrames,
    *,
    named: bool = False,
    by_reference: bool = False,
    detail: str | None = None,
) -> list[dict[str, Any]]:
    """One "image_url" part for each distinct frame, in order, for any OpenAI-compatible server.

    Args:
        named: give each part a `uuid`, a hash of its frame, under which a vLLM server caches it.
        by_reference: leave the frames out, because a vLLM server holds them under their uuids.
        detail: how closely an API is to look at an image; None leaves it to the API.
    """
    parts = []
    for jpeg in distinct_frames(frames):
        url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
        part: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
        if detail is not None:
            part["image_url"]["detail"] = detail
        if by_reference:
            part["image_url"] = None
        if named or by_reference:
            part["uuid"] = hashlib.sha256(jpeg).hexdigest()
        parts.append(part)
    return parts
