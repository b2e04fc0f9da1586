"""Makes the test clips. Every frame shows its own number, so a decoded frame tells which it is."""

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from fmau.frames.clip import ClipFrames, frames_from_pixels
from fmau.recipe import FramesBlock

BITS = 8
"""Frame numbers are drawn as this many black or white bars, most significant bit on the left."""


def numbered_frame(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """An RGB frame (HWC): number bars above, a colour ramp that drifts with the number below."""
    pixels_HWC = np.zeros((height, width, 3), np.uint8)
    edges = np.linspace(0, width, BITS + 1).round().astype(int)
    for bit, (left, right) in enumerate(itertools.pairwise(edges)):
        lit = number >> (BITS - 1 - bit) & 1
        pixels_HWC[: height // 2, left:right] = 235 if lit else 20
    ramp_W = (np.linspace(0, 255, width) + 5 * number) % 256
    pixels_HWC[height // 2 :, :, 0] = ramp_W
    pixels_HWC[height // 2 :, :, 1] = 255 - ramp_W
    pixels_HWC[height // 2 :, :, 2] = np.linspace(0, 255, height - height // 2)[:, None]
    return pixels_HWC


def read_number(pixels_HWC: NDArray[np.uint8]) -> int:
    """The number drawn on a frame, whatever its size."""
    height, width, _ = pixels_HWC.shape
    row_W = pixels_HWC[height // 8 : 3 * height // 8].mean(axis=(0, 2))
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    return int("".join("1" if row_W[centre] > 127 else "0" for centre in centres), 2)


def drawn_frames(
    numbers: Sequence[int] = range(4),
    *,
    height: int = 64,
    width: int = 64,
    max_pixels_per_frame: int = 4096,
) -> ClipFrames:
    """Numbered frames of clip "c", filmed at 30 per second, as the frame stage gives them."""
    drawn_THWC = np.stack([numbered_frame(number, height, width) for number in numbers])
    spec = FramesBlock(min_pixels_per_frame=1024, max_pixels_per_frame=max_pixels_per_frame)
    return frames_from_pixels(
        "c",
        drawn_THWC,
        indices=numbers,
        fps=30,
        total_num_frames=max(numbers) + 1,
        spec=spec,
    )


def write_clip(
    path: Path,
    frame_count: int,
    *,
    rate: Fraction | int = 30,
    times_ms: Sequence[int] | None = None,
    height: int = 96,
    width: int = 128,
    codec: str = "libx264",
    rotation: int = 0,
    faststart: bool = False,
    trimmed_frames: int = 0,
    gop: int = 250,
    encoder: Mapping[str, str] | None = None,
) -> Path:
    """Encode numbered frames 0..frame_count-1; the suffix decides the container.

    Args:
        times_ms: presentation time of each frame, for clips of variable rate; otherwise frame i is
            shown at i / `rate` seconds.
        rotation: counter-clockwise degrees that a player turns the picture before showing it.
        faststart: write the index before the pictures, so that a cut-off file can still be opened.
        trimmed_frames: frames at the start that the file holds but tells players to leave out, as
            editors write it when they cut a clip without encoding it again. Not with `times_ms`.
        gop: most frames from one key frame to the next.
        encoder: further options of the codec.
    """
    options = {"movflags": "faststart"} if faststart else {}
    if trimmed_frames:
        options |= {"avoid_negative_ts": "disabled", "use_editlist": "1"}
    with av.open(str(path), "w", options=options) as container:
        stream: Any = container.add_stream(codec, rate=Fraction(rate), options=dict(encoder or {}))
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = gop
        time_base = Fraction(1, 1000) if times_ms is not None else 1 / Fraction(rate)
        stream.codec_context.time_base = time_base
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(frame_count):
            frame = av.VideoFrame.from_ndarray(numbered_frame(number, height, width), "rgb24")
            frame.pts = times_ms[number] if times_ms is not None else number - trimmed_frames
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_audio_only(path: Path) -> Path:
    """A tone of half a second in an mp4 container, without pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for start in range(0, 8_000, 1024):
            wave = np.sin(np.arange(start, start + 1024) / 10).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(wave, "fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep only the first `share` of a file's bytes, as a broken download does."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path
