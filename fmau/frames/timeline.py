"""When the frames of a video file are shown: read from the container, nothing is decoded."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from fmau.core.errors import ClipError

Packets: TypeAlias = "Sequence[Packet[Stream]]"

RATE_TOLERANCE_S = 1e-3
"""How far frames may lie from index / fps at a constant rate; Matroska rounds times to 1 ms."""

MAX_PIXELS = 2**26
"""Of one picture, about 8,192 x 8,192. Decoding larger ones would take gigabytes of memory."""

MAX_FRAMES = 100_000
"""Of one clip, about an hour at 30 frames per second. A whole film is not a clip: its packets would
fill the memory, and decoding up to its last frame would take hours."""

MAX_CLIP_PIXELS = 2**38
"""Of all pictures of a clip together, about an hour of 1920 x 1080 at 30 frames per second. Many
large pictures would take hours too, where each bound alone lets them pass."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """When the frames of a clip are shown.

    Attributes:
        times_s: presentation time of every frame, in seconds from the first.
        fps: frames per second; of a variable-rate clip, their mean.
        constant_rate: frame i is shown at i / fps.
        duration_s: from the first frame to the end of the last, in seconds.
        marks: the container's own time of every frame, in its own unit; ascending. Two frames may
            share one.
        key_frames: frames that are coded without reference to others.
    """

    times_s: tuple[float, ...]
    fps: float
    constant_rate: bool
    duration_s: float
    marks: tuple[int, ...]
    key_frames: int

    @property
    def total_num_frames(self) -> int:
        """Frames in the clip."""
        return len(self.times_s)


def probe(path: Path) -> Timeline:
    """Read the times of all frames of a clip, without decoding it.

    Raises:
        ClipError: missing, empty, cut off, not a video, of fewer than two frames, of more than
            `MAX_FRAMES`, or of more than `MAX_CLIP_PIXELS`.
    """
    if not os.path.isfile(path):  # also False for a path that cannot be
        raise ClipError(f"{path}: no such file; put the clip there or correct the clips folder")
    if path.stat().st_size == 0:
        raise ClipError(f"{path}: the file is empty; copy the clip again")
    try:
        with open_video(path) as (container, stream):
            return _timeline(path, container, stream)
    except av.FFmpegError as error:
        raise ClipError(
            f"{path}: cannot be read as a video ({error.strerror}); the file is damaged or of "
            "another kind, copy it again or convert it to mp4"
        ) from None


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A video file, and the one stream of it that is meant.

    That is the stream a player shows: the best by FFmpeg's own rule, where a cover picture is not
    a candidate. Times and pixels are both read from it.

    Raises:
        ClipError: the file holds no video, pictures of more than `MAX_PIXELS`, or video of a kind
            that nothing here can decode.
        av.FFmpegError: the file cannot be read.
    """
    # An absolute path cannot be taken for a URL, and a playlist cannot make FFmpeg fetch one.
    name, options = str(path.absolute()), {"protocol_whitelist": "file"}
    with av.open(name, options=options, metadata_errors="replace") as container:
        cover = Disposition.attached_pic
        moving = [one for one in container.streams.video if not one.disposition & cover]
        if not moving:
            raise ClipError(f"{path}: holds no video, only sound or data; name a video file")
        best = container.streams.best("video")
        stream = next((stream for stream in moving if stream is best), moving[0])
        if stream.codec_context is not None and stream.width * stream.height > MAX_PIXELS:
            raise ClipError(
                f"{path}: its pictures have {stream.width} x {stream.height} pixels, more than "
                f"{MAX_PIXELS:,}; convert it to a smaller size"
            )
        if stream.codec_context is None:
            raise ClipError(f"{path}: no decoder for its kind of video; convert it to mp4 (H.264)")
        yield container, stream


def _timeline(path: Path, container: InputContainer, stream: VideoStream) -> Timeline:
    packets = []
    frames = 0
    most = min(MAX_FRAMES, MAX_CLIP_PIXELS // max(1, stream.width * stream.height))
    for packet in container.demux():
        if packet.size and not packet.is_discard:
            packets.append(packet)
            frames += packet.stream is stream
        if frames > most:
            raise ClipError(
                f"{path}: has more than {most:,} frames of {stream.width} x {stream.height} "
                "pixels; cut out the part that is asked about"
            )
    if _is_cut_off(path, container, stream, packets):
        raise ClipError(f"{path}: the file is cut off before its end; copy it again")
    shown = [packet for packet in packets if packet.stream is stream]
    if len(shown) < 2:
        what = "one frame shows no movement" if shown else "holds no frames"
        raise ClipError(f"{path}: {what}; use a clip of at least two frames")
    return _from_packets(path, stream, shown)


def _from_packets(path: Path, stream: VideoStream, packets: Packets) -> Timeline:
    shown = [(packet.pts, packet.duration) for packet in packets if packet.pts is not None]
    if len(shown) < len(packets) or stream.time_base is None:
        # A bare stream of pictures; FFmpeg would make up 25 frames per second.
        raise ClipError(f"{path}: does not say when its frames are shown; convert it to mp4")
    shown.sort(key=lambda frame: frame[0])
    marks = tuple(pts for pts, _ in shown)
    key_frames = sum(packet.is_keyframe for packet in packets)
    times = [(pts - marks[0]) * stream.time_base for pts in marks]
    for rate in (stream.average_rate, stream.base_rate, stream.guessed_rate):
        if rate and all(abs(time - i / rate) <= RATE_TOLERANCE_S for i, time in enumerate(times)):
            return _constant(rate, marks, key_frames)
    if times[-1] <= 0:
        raise ClipError(f"{path}: all frames are shown at the same time; convert it to mp4 again")
    mean_gap = times[-1] / (len(times) - 1)
    last_gap = (shown[-1][1] or 0) * stream.time_base or mean_gap
    return Timeline(
        times_s=tuple(float(time) for time in times),
        fps=float(1 / mean_gap),
        constant_rate=False,
        duration_s=float(times[-1] + last_gap),
        marks=marks,
        key_frames=key_frames,
    )


def _constant(rate: Fraction, marks: tuple[int, ...], key_frames: int) -> Timeline:
    return Timeline(
        times_s=tuple(float(i / rate) for i in range(len(marks))),
        fps=float(rate),
        constant_rate=True,
        duration_s=float(len(marks) / rate),
        marks=marks,
        key_frames=key_frames,
    )


def _is_cut_off(
    path: Path, container: InputContainer, stream: VideoStream, packets: Packets
) -> bool:
    """Whether the header promises more than the file holds.

    Decoders take what there is, and repeat the last picture for the rest: motion that stops.
    """
    if any(packet.is_corrupt for packet in packets):
        return True
    size = path.stat().st_size
    if any(entry.pos + entry.size > size for entry in stream.index_entries):
        return True
    if stream.frames or not container.duration or not packets:
        return False  # frames are listed in the header, and all of them are there
    # Matroska and WebM list no frames: compare the end of what is there with the promised end.
    ends = [
        (packet.pts + (packet.duration or 0)) * packet.time_base
        for packet in packets
        if packet.pts is not None
    ]
    promised = Fraction(container.duration, av.time_base)
    mean_gap = promised / len(packets)
    return bool(ends) and promised - max(ends) > max(3 * mean_gap, Fraction(1, 10))
