"""One clip as the model sees it: a few small JPEGs with exact times. Every stage uses `ClipFrames`.

The cache stores the JPEG bytes and the server receives them; training decodes the same bytes. So
training and serving see the same pixels. Frames are resized once, here; no later step resizes them.

Times: models see times in the prompt, such as "<0.3 seconds>". Transformers and vLLM compute
them as frame index / fps; neither accepts times directly. For a clip with a constant frame
rate that is exact. For a variable rate no fps would be right, so times are given in milliseconds:
fps is 1000, and the "index" of a frame is the millisecond at which it is shown.

Axes: T frames, H height, W width, C red-green-blue.
"""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmau.core.errors import ClipError
from fmau.frames.decode import decode
from fmau.frames.resize import resize
from fmau.frames.sampling import sample_indices
from fmau.frames.timeline import Timeline, probe
from fmau.frames.tokens import visual_tokens
from fmau.recipe import FramesBlock

TICKS_PER_SECOND = 1000
"""The fps that is reported for variable-rate clips."""


@dataclass(frozen=True, slots=True)
class ClipFrames:
    """The sampled, resized, compressed frames of one clip.

    Attributes:
        clip: name of the clip, without extension.
        jpegs: the frames in order, one JPEG file each.
        height, width: of every frame, in pixels; multiples of `FramesBlock.cell`.
        indices: frame i is shown `indices[i] / fps` seconds after the clip's first frame. These
            are indices of source frames for a constant frame rate, milliseconds for a variable one.
        fps: how many units of `indices` make one second.
        total_num_frames: length of the clip in units of `indices`.
        duration_s: length of the clip in seconds.
    """

    clip: str
    jpegs: tuple[bytes, ...]
    height: int
    width: int
    indices: tuple[int, ...]
    fps: float
    total_num_frames: int
    duration_s: float

    def pixels_THWC(self) -> NDArray[np.uint8]:
        """Decode the frames: the pixels that every model sees."""
        images = [Image.open(io.BytesIO(jpeg)) for jpeg in self.jpegs]
        return np.stack([np.asarray(image.convert("RGB")) for image in images])

    def data_url(self) -> str:
        """All frames as one URL for a vLLM server: data:video/jpeg;base64,FRAME,FRAME,..."""
        return "data:video/jpeg;base64," + ",".join(
            base64.b64encode(jpeg).decode("ascii") for jpeg in self.jpegs
        )

    def visual_tokens(self, spec: FramesBlock) -> int:
        """Number of visual tokens of the clip in a prompt; its time stamps are not counted."""
        return visual_tokens(spec, len(self.jpegs), self.height, self.width)

    def media_kwargs(self) -> dict[str, Any]:
        """The value of `media_io_kwargs["video"]` that a vLLM server needs with `data_url`."""
        return {
            "fps": self.fps,
            "frames_indices": list(self.indices),
            # vLLM refuses a total below the number of frames sent. A very short clip, whose
            # frames are repeated, would have such a total.
            "total_num_frames": max(self.total_num_frames, len(self.jpegs)),
            "duration": self.duration_s,
            "do_sample_frames": False,
            # Without it vLLM reads only the first 32 frames of a URL.
            "num_frames": len(self.jpegs),
        }


def read_clip(path: Path, spec: FramesBlock) -> ClipFrames:
    """Sample, decode and resize the frames of one video file.

    Raises:
        ClipError: the clip cannot be used; the text names the file, the reason and a remedy.
    """
    frames = read_clip_with(decode, path, spec)
    assert frames is not None, "this decoder gives frames or raises"
    return frames


Decoder = Callable[[Path, Timeline, Sequence[int]], "NDArray[np.uint8] | None"]
"""A function that decodes the frames at given indices, like `decode`; None if it cannot."""


def read_clip_with(decoder: Decoder, path: Path, spec: FramesBlock) -> ClipFrames | None:
    """Like `read_clip`, with another decoder; None if that one gives no frames."""
    timeline = probe(path)
    indices = sample_indices(timeline.total_num_frames, spec, timeline.fps)
    ticks, fps, total = _ticks(timeline, indices)
    try:
        pixels_THWC = decoder(path, timeline, indices)
        if pixels_THWC is None:
            return None
        try:
            return frames_from_pixels(
                path.stem, pixels_THWC, indices=ticks, fps=fps, total_num_frames=total, spec=spec
            )
        except ValueError as error:
            raise ClipError(f"{path}: {error}") from None
    except MemoryError:
        raise ClipError(
            f"{path}: {len(indices)} of its pictures do not fit into the memory that is free; "
            "convert the clip to a smaller size, or lower frames.count"
        ) from None


Read = Callable[[Path, FramesBlock], ClipFrames]
"""A function that decodes one clip, like `read_clip`; it raises ClipError."""


def frames_from_pixels(
    clip: str,
    pixels_THWC: NDArray[np.uint8],
    *,
    indices: Sequence[int],
    fps: float,
    total_num_frames: int,
    spec: FramesBlock,
) -> ClipFrames:
    """Resize and compress frames that are already sampled and decoded.

    Args:
        indices, fps, total_num_frames: as in `ClipFrames`.

    Raises:
        ValueError: the frames are too long and thin to be resized, see `target_size`.
    """
    resized_THWC = resize(pixels_THWC, spec)
    _, height, width, _ = resized_THWC.shape
    return ClipFrames(
        clip=clip,
        jpegs=tuple(_jpeg(pixels_HWC, spec.jpeg_quality) for pixels_HWC in resized_THWC),
        height=height,
        width=width,
        indices=tuple(indices),
        fps=float(fps),
        total_num_frames=total_num_frames,
        duration_s=total_num_frames / fps,
    )


def _ticks(timeline: Timeline, indices: tuple[int, ...]) -> tuple[tuple[int, ...], float, int]:
    """(indices, fps, length), counted in frames or, for a variable rate, in milliseconds."""
    if timeline.constant_rate:
        return indices, timeline.fps, timeline.total_num_frames
    ticks = tuple(round(timeline.times_s[index] * TICKS_PER_SECOND) for index in indices)
    total = round(timeline.duration_s * TICKS_PER_SECOND)
    return ticks, float(TICKS_PER_SECOND), total


def _jpeg(pixels_HWC: NDArray[np.uint8], quality: int) -> bytes:
    buffer = io.BytesIO()
    # 4:4:4 keeps colour at full resolution. The video codec halved it, but after shrinking, the
    # frame has about as many colour samples as pixels.
    Image.fromarray(pixels_HWC).save(buffer, "JPEG", quality=quality, subsampling="4:4:4")
    return buffer.getvalue()
