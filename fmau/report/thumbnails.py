"""Makes one small picture of the frames of a clip, for the answers browser of the report."""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from fmau.core.hardware import usable_cores

HEIGHT = 96
QUALITY = 60
BUDGET_BYTES = 40 * 2**20
"""Limit for all strips in one report. A browser opens such a file quickly; 1,000 clips need about
half of it."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The frames of a clip side by side.

    Attributes:
        jpeg: the picture, `HEIGHT` pixels high.
        seconds: time of each frame in seconds after the first frame of the clip.
    """

    jpeg: bytes
    seconds: tuple[float, ...]


StripOf = Callable[[str], Strip | None]
"""Clip -> its strip; None if the clip cannot be read."""


def make_strip(jpegs: Sequence[bytes], seconds: Sequence[float]) -> Strip:
    """Put frames side by side, `HEIGHT` pixels high.

    Args:
        jpegs: at least one, in order, all of one size.
        seconds: time of each frame.
    """
    frames = []
    for jpeg in jpegs:
        image = Image.open(io.BytesIO(jpeg)).convert("RGB")
        width = max(1, round(image.width * HEIGHT / image.height))
        frames.append(image.resize((width, HEIGHT)))
    strip = Image.new("RGB", (sum(frame.width for frame in frames), HEIGHT))
    left = 0
    for frame in frames:
        strip.paste(frame, (left, 0))
        left += frame.width
    packed = io.BytesIO()
    strip.save(packed, "JPEG", quality=QUALITY)
    return Strip(packed.getvalue(), tuple(seconds))


def embedded(clips: Iterable[str], strip_of: StripOf) -> tuple[dict[str, list[object]], int]:
    """Make the strips to embed in a report.

    Returns:
        clip -> [JPEG in base64, seconds], as many as `BUDGET_BYTES` allows; and the number of clips
        without a strip.
    """
    strips: dict[str, list[object]] = {}
    size = without = 0
    names = list(clips)
    with ThreadPoolExecutor(usable_cores()) as pool:  # decoders release the GIL
        found = zip(names, pool.map(strip_of, names), strict=True)
    for clip, strip in found:
        if strip is None or size >= BUDGET_BYTES:
            without += 1
            continue
        packed = base64.b64encode(strip.jpeg).decode("ascii")
        size += len(packed)
        strips[clip] = [packed, [round(second, 2) for second in strip.seconds]]
    return strips, without
