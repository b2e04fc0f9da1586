"""How fast frames reach a training step: from the frame cache, and decoded on the fly.

    python scripts/bench_loader.py CLIPS_FOLDER [--clips N]

Frames as for MA-Bench (8 of at most 512 x 512 pixels), clips/s as pixels in the main process, by 1
and by 2 DataLoader workers. The set-up of the workers is not timed. A file's first reading warms
the page cache, so both ways read from memory.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset

from fmau.core.hardware import usable_cores
from fmau.dataset.clips import CLIP_SUFFIXES
from fmau.frames.cache import FrameCache, build_cache
from fmau.frames.clip import ClipFrames, read_clip
from fmau.recipe import FramesBlock

SPEC = FramesBlock(min_pixels_per_frame=65536, max_pixels_per_frame=262144)
WORKERS = (1, 2)
NEEDED = {"1 H200": 6, "8 H200": 50}
"""Clips/s that LoRA training of an 8B model takes at about 1,000 tokens a clip."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Clip -> frames, decoded when they are asked for."""

    clips: Mapping[str, Path]

    def __getitem__(self, clip: str) -> ClipFrames:
        return read_clip(self.clips[clip], SPEC)


class Pixels(Dataset[NDArray[np.uint8]]):
    """The pixels of `count` clips, round and round, as epochs would ask for them."""

    def __init__(self, source: FrameCache | Decoded, clips: Sequence[str], count: int) -> None:
        self.source, self.clips, self.count = source, clips, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return self.source[self.clips[index % len(self.clips)]].pixels_THWC()


def clips_per_second(
    source: FrameCache | Decoded, clips: Sequence[str], count: int, workers: int
) -> float:
    """Rate at which `workers` processes deliver `count` clips, after the first ones."""
    untimed = 4 * workers
    loader = DataLoader(
        Pixels(source, clips, untimed + count),
        batch_size=None,
        num_workers=workers,
        multiprocessing_context="spawn",
    )
    started = 0.0
    for number, _ in enumerate(loader, start=1):
        if number == untimed:
            started = time.perf_counter()
    return count / (time.perf_counter() - started)


def measure(clips: Mapping[str, Path], count: int, tell: Callable[[str], None]) -> Table:
    """All rates, as a table."""
    with tempfile.TemporaryDirectory() as folder:
        tell(f"filling a cache with {len(clips)} clips")
        read_clip(next(iter(clips.values())), SPEC)  # imports what decoding needs, untimed
        summary = build_cache(Path(folder), clips, SPEC, workers=usable_cores())
        cache = FrameCache(Path(folder))
        sources: dict[str, FrameCache | Decoded] = {
            "frame cache": cache,
            "decoding on the fly": Decoded(clips),
        }
        rates: dict[tuple[str, int], float] = {}
        for workers in WORKERS:
            for name, source in sources.items():
                tell(f"{name}, {workers} workers")
                rates[name, workers] = clips_per_second(source, cache.names, count, workers)
        size_mib = sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20
    table = Table(
        title=f"{len(cache)} clips: {size_mib / len(cache):.2f} MiB each, "
        f"extracted at {summary.done / summary.seconds:.1f} clips/s by {usable_cores()} threads"
    )
    for heading in ("", "workers", "clips/s", "beside decoding", *NEEDED):
        table.add_column(heading, justify="right")
    for (name, workers), rate in rates.items():
        ratio = rate / rates["decoding on the fly", workers]
        shares = [f"{rate / needed:.1f} x" for needed in NEEDED.values()]
        table.add_row(name, str(workers), f"{rate:.1f}", f"{ratio:.1f} x", *shares)
    return table


def main() -> None:
    """Measure the clips that the command line names."""
    parser = argparse.ArgumentParser(description="Clips/s from the frame cache and by decoding.")
    parser.add_argument("folder", type=Path, metavar="CLIPS_FOLDER", help="Folder of video files.")
    parser.add_argument("--clips", type=int, default=64, help="Clips a way (default: 64).")
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.glob("*") if path.suffix in CLIP_SUFFIXES)
    if not files:
        parser.error(f"{arguments.folder}: no video files")
    console = Console()
    with console.status("") as status:
        chosen = {path.stem: path for path in files[: arguments.clips]}
        table = measure(chosen, arguments.clips, status.update)
    console.print(table)
    console.print(
        f"needed by {', '.join(f'{gpu}: {rate} clips/s' for gpu, rate in NEEDED.items())}"
    )


if __name__ == "__main__":
    main()
