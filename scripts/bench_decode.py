"""What decoding eight frames of a clip costs: decord, every frame in order, and fmau's way.

    python scripts/bench_decode.py FOLDER [--rounds N]

Prints processor seconds per clip (all ways in turn, N rounds, the least of each) and whether the
pixels are those of decoding every frame in order.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import decord
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fmau.dataset.clips import CLIP_SUFFIXES
from fmau.frames.decode import decode
from fmau.frames.sampling import sample_indices
from fmau.frames.timeline import Timeline, probe
from fmau.recipe import FramesBlock

SPEC = FramesBlock(min_pixels_per_frame=65536, max_pixels_per_frame=262144)

Way = Callable[[Path, Timeline, Sequence[int]], NDArray[np.uint8]]


def by_decord(path: Path, timeline: Timeline, indices: Sequence[int]) -> NDArray[np.uint8]:
    """decord's own way: it finds each frame from the key frame before it."""
    reader = decord.VideoReader(str(path), num_threads=1)
    return np.asarray(reader.get_batch(list(indices)).asnumpy())


def in_order(path: Path, timeline: Timeline, indices: Sequence[int]) -> NDArray[np.uint8]:
    """Every frame decoded, the wanted ones converted."""
    found = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for number, frame in enumerate(container.decode(stream)):
            if number in indices:
                found[number] = frame.to_ndarray(format="rgb24")
    return np.stack([found[index] for index in indices])


WAYS: dict[str, Way] = {"decord": by_decord, "every frame in order": in_order, "fmau": decode}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="clips, all of one size")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.folder.iterdir() if p.suffix.lower() in CLIP_SUFFIXES)
    clips = []
    for path in paths:
        timeline = probe(path)
        indices = sample_indices(timeline.total_num_frames, SPEC, timeline.fps)
        clips.append((path, timeline, indices, in_order(path, timeline, indices)))
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    equal = dict.fromkeys(WAYS, 0)
    for _ in range(arguments.rounds):
        for name, way in WAYS.items():
            started = time.process_time()
            pixels = [way(path, timeline, indices) for path, timeline, indices, _ in clips]
            seconds[name].append((time.process_time() - started) / len(clips))
            equal[name] = sum(
                np.array_equal(found, truth)
                for found, (*_, truth) in zip(pixels, clips, strict=True)
            )
    table = Table(title=f"{len(clips)} clips, {SPEC.count} frames each")
    for column in ("way", "processor s a clip", "of decord's", "right clips"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, times in seconds.items():
        share = min(times) / min(seconds["decord"])
        right = f"{equal[name]} of {len(clips)}"
        table.add_row(name, f"{min(times):.3f}", f"{100 * share:.0f} %", right)
    Console().print(table)


if __name__ == "__main__":
    main()
