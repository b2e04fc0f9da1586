"""Reads a video file: the time of every frame, and the pixels of chosen frames.

`fmau.frames.clip` uses it. PyAV reads the times from the packets of the container, without decoding
them; decord decodes pixels by frame index. decord is built on an old FFmpeg: if it cannot open a
file, or its list of frames differs from the container's, PyAV decodes instead. Both give the same
pixels, and both apply the rotation that phones store in a file.

Axes: T frames, H height, W width, C red-green-blue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import decord
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from fmau.core.errors import ClipError

Packets: TypeAlias = "Sequence[Packet[Stream]]"

decord.logging.set_level(decord.logging.QUIET)

RATE_TOLERANCE_S = 1e-3
"""A rate is constant if no frame is further than this from index / fps; Matroska rounds to 1 ms."""

MISMATCH_S = 2 * RATE_TOLERANCE_S
"""If decord's time of a frame differs by more from the container's time, the frames differ."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The times at which the frames of a clip are shown.

    Attributes:
        times_s: presentation time of every frame, in seconds after the first frame.
        fps: frames per second; the mean for a variable-rate clip.
        constant_rate: frame i is shown at i / fps.
        duration_s: from the first frame to the end of the last, in seconds.
    """

    times_s: tuple[float, ...]
    fps: float
    constant_rate: bool
    duration_s: float

    @property
    def total_num_frames(self) -> int:
        """Number of frames of the clip."""
        return len(self.times_s)


def probe(path: Path) -> Timeline:
    """Read the times of all frames of a clip, without decoding it.

    Raises:
        ClipError: the file is missing, empty, cut off, not a video, or has fewer than two frames.
    """
    if not path.is_file():
        raise ClipError(f"{path}: no such file; put the clip there or correct the clips folder")
    if path.stat().st_size == 0:
        raise ClipError(f"{path}: the file is empty; copy the clip again")
    try:
        with _open(path) as container:
            return _timeline(path, container)
    except av.FFmpegError as error:
        raise ClipError(
            f"{path}: cannot be read as a video ({error.strerror}); the file is damaged or of "
            "another kind, copy it again or convert it to mp4"
        ) from None


def decode(path: Path, timeline: Timeline, indices: Sequence[int]) -> NDArray[np.uint8]:
    """The pixels of the frames at `indices`, upright, as pixels_THWC.

    Args:
        timeline: the result of `probe` for this file.
        indices: ascending; repeats are allowed.

    Raises:
        ClipError: a chosen frame cannot be decoded.
    """
    pixels_THWC = _decode_with_decord(path, timeline, indices)
    if pixels_THWC is None:
        pixels_THWC = _decode_with_pyav(path, timeline, indices)
    return pixels_THWC


def _open(path: Path) -> InputContainer:
    # FFmpeg cannot mistake an absolute path for a URL, and the whitelist stops a playlist file from
    # making FFmpeg fetch one.
    return av.open(str(path.absolute()), options={"protocol_whitelist": "file"})


def _timeline(path: Path, container: InputContainer) -> Timeline:
    if not container.streams.video:
        raise ClipError(f"{path}: holds no video, only sound or data; name a video file")
    stream = container.streams.video[0]
    packets = [packet for packet in container.demux() if packet.size and not packet.is_discard]
    if _is_cut_off(path, container, packets):
        raise ClipError(f"{path}: the file is cut off before its end; copy it again")
    shown = [packet for packet in packets if packet.stream is stream]
    if len(shown) < 2:
        what = "one frame shows no movement" if shown else "holds no frames"
        raise ClipError(f"{path}: {what}; use a clip of at least two frames")
    return _from_packets(path, stream, shown)


def _from_packets(path: Path, stream: VideoStream, packets: Packets) -> Timeline:
    shown = [(packet.pts, packet.duration) for packet in packets if packet.pts is not None]
    if len(shown) < len(packets) or stream.time_base is None:
        # A raw stream has no times; FFmpeg would assume 25 frames per second.
        raise ClipError(f"{path}: does not say when its frames are shown; convert it to mp4")
    shown.sort(key=lambda frame: frame[0])
    times = [(pts - shown[0][0]) * stream.time_base for pts, _ in shown]
    for rate in (stream.average_rate, stream.base_rate, stream.guessed_rate):
        if rate and all(abs(time - i / rate) <= RATE_TOLERANCE_S for i, time in enumerate(times)):
            return _constant(rate, len(times))
    if times[-1] <= 0:
        raise ClipError(f"{path}: all frames are shown at the same time; convert it to mp4 again")
    mean_gap = times[-1] / (len(times) - 1)
    last_gap = (shown[-1][1] or 0) * stream.time_base or mean_gap
    return Timeline(
        times_s=tuple(float(time) for time in times),
        fps=float(1 / mean_gap),
        constant_rate=False,
        duration_s=float(times[-1] + last_gap),
    )


def _constant(rate: Fraction, count: int) -> Timeline:
    times_s = tuple(float(i / rate) for i in range(count))
    return Timeline(times_s, float(rate), constant_rate=True, duration_s=float(count / rate))


def _is_cut_off(path: Path, container: InputContainer, packets: Packets) -> bool:
    """Whether the file holds less than its header says.

    Decoders accept such a file and repeat the last picture for the missing part, so that the
    motion would seem to stop.
    """
    if any(packet.is_corrupt for packet in packets):
        return True
    stream = container.streams.video[0]
    size = path.stat().st_size
    if any(entry.pos + entry.size > size for entry in stream.index_entries):
        return True
    if stream.frames or not container.duration or not packets:
        return False  # the header lists all frames, and the file holds them
    # Matroska and WebM do not list frames: compare the end of the last packet with the duration in
    # the header.
    ends = [
        (packet.pts + (packet.duration or 0)) * packet.time_base
        for packet in packets
        if packet.pts is not None
    ]
    promised = Fraction(container.duration, av.time_base)
    mean_gap = promised / len(packets)
    return bool(ends) and promised - max(ends) > max(3 * mean_gap, Fraction(1, 10))


def _decode_with_decord(
    path: Path, timeline: Timeline, indices: Sequence[int]
) -> NDArray[np.uint8] | None:
    """pixels_THWC; None if decord fails or its frames differ from the container's."""
    try:
        # One thread per clip: decoding several clips in parallel scales better.
        reader = decord.VideoReader(str(path.absolute()), num_threads=1)
        starts_s = reader.get_frame_timestamp(range(len(reader)))[:, 0]
        if len(reader) != timeline.total_num_frames:
            return None
        if np.abs(starts_s - starts_s[0] - timeline.times_s).max() > MISMATCH_S:
            return None
        pixels_THWC: NDArray[np.uint8] = reader.get_batch(list(indices)).asnumpy()
    except (decord.DECORDError, RuntimeError, AssertionError):
        return None
    return pixels_THWC


def _decode_with_pyav(path: Path, timeline: Timeline, indices: Sequence[int]) -> NDArray[np.uint8]:
    pixels_by_index: dict[int, NDArray[np.uint8]] = {}
    decoded = 0
    reason = "others are damaged"
    try:
        with _open(path) as container:
            for decoded, frame in enumerate(container.decode(video=0), start=1):
                if decoded - 1 in indices:
                    pixels_HWC = frame.to_ndarray(format="rgb24")
                    pixels_by_index[decoded - 1] = np.rot90(pixels_HWC, frame.rotation // 90)
    except av.FFmpegError as error:
        reason = error.strerror or str(error)
    # Frames are identified by their order, because not all containers keep times (AVI confuses
    # those of B-frames). A frame that the decoder skips would shift the index of all later ones.
    if decoded != timeline.total_num_frames:
        raise ClipError(
            f"{path}: only {decoded} of {timeline.total_num_frames} frames can be decoded "
            f"({reason}); copy the clip again or convert it to mp4 with H.264"
        )
    return np.stack([pixels_by_index[index] for index in indices])
