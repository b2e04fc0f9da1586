"""Fills a frame cache: clips decoded side by side, written shard by shard.

Decoding runs in threads, as it does for answering: decord, PyAV and the JPEG encoder let go of the
GIL while they work, and frames need no pickling.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fmau.core.errors import ClipError, RunError
from fmau.core.files import hold_folder
from fmau.frames.cache.ahead import map_ahead
from fmau.frames.cache.note import NOTE, check_spec, write_note
from fmau.frames.cache.shards import (
    NO_SOURCE,
    Row,
    Source,
    as_row,
    next_shard,
    open_shards,
    write_shard,
)
from fmau.frames.clip import Read, read_clip
from fmau.recipe import FramesBlock

SHARD_CLIPS = 256
SHARD_BYTES = 64 * 2**20
"""A shard is closed at so many clips or bytes of JPEGs, whichever comes first. It is what waits in
memory, and what a kill may lose: a minute's work for two cores at 1080x1296."""

Progress = Callable[[int, int], None]
"""Called with clips done and clips in all."""


@dataclass(frozen=True, slots=True)
class CacheSummary:
    """What one call of `build_cache` did.

    Attributes:
        done: clips extracted now.
        kept: clips whose frames were there already.
        failed: clip -> why it has no frames.
        seconds: wall time of the call.
    """

    done: int
    kept: int
    failed: Mapping[str, str]
    seconds: float


def build_cache(
    folder: Path,
    clips: Mapping[str, Path],
    spec: FramesBlock,
    *,
    workers: int,
    progress: Progress = lambda done, total: None,
    read: Read = read_clip,
) -> CacheSummary:
    """Bring the frames of `clips` into the cache, and those of changed video files up to date.

    May be stopped or killed at any time; the next call goes on. Clips that cannot be read are
    tried again by each call. Frames whose video file is gone are kept, and so are those of clips
    that are not in `clips`.

    Args:
        folder: of the cache; created if missing.
        clips: name -> video file.
        workers: clips decoded at the same time; as many as there are cores.
        progress: told at the start and after every clip.
        read: what decodes a clip.

    Raises:
        RunError: the cache is of another `FramesBlock` (every key that differs is named), another
            process fills it, or it cannot be written.
        InputError: shards are damaged; all are listed.
    """
    started = time.monotonic()
    failed: dict[str, str] = {}
    with hold_folder(folder, "another process is filling this cache"):
        _claim(folder, spec)
        kept = _up_to_date(folder, clips)
        todo = [(clip, path) for clip, path in clips.items() if clip not in kept]
        rows = map_ahead(lambda item: _row(*item, spec, read), todo, workers)
        shards = _ShardWriter(folder)
        progress(len(kept), len(clips))
        try:
            for number, ((clip, _), row) in enumerate(zip(todo, rows, strict=True), start=1):
                if isinstance(row, ClipError):
                    failed[clip] = str(row)
                else:
                    shards.add(row)
                progress(len(kept) + number, len(clips))
        finally:
            shards.flush()  # Ctrl-C, too, keeps what is decoded
    return CacheSummary(
        done=len(todo) - len(failed),
        kept=len(kept),
        failed=failed,
        seconds=round(time.monotonic() - started, 3),
    )


class _ShardWriter:
    """Collects rows into shards of bounded size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Row] = []
        self.bytes = 0

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self.bytes += sum(map(len, row["jpegs"]))
        if len(self.rows) >= SHARD_CLIPS or self.bytes >= SHARD_BYTES:
            self.flush()

    def flush(self) -> None:
        # Forgotten before they are written: an interrupt in between must not write them twice.
        rows, self.rows, self.bytes = self.rows, [], 0
        if rows:
            write_shard(next_shard(self.folder), rows)


def _row(clip: str, path: Path, spec: FramesBlock, read: Read) -> Row | ClipError:
    source = Source.of(path)  # before it is read: one that changes meanwhile is read again
    try:
        return as_row(replace(read(path, spec), clip=clip), source)
    except ClipError as error:
        return error


def _up_to_date(folder: Path, clips: Mapping[str, Path]) -> set[str]:
    """Those of `clips` that need no work; frames of changed files are taken out of their shards."""
    kept = set()
    for shard in open_shards(folder):
        wanted = {clip: source for clip, source in shard.sources().items() if clip in clips}
        changed = {
            clip
            for clip, source in wanted.items()
            if Source.of(clips[clip]) not in (source, NO_SOURCE)
        }
        if changed:
            shard.drop(changed)
        kept |= wanted.keys() - changed
    return kept


def _claim(folder: Path, spec: FramesBlock) -> None:
    """Make the folder a cache of `spec`, or make sure that it is one."""
    if (folder / NOTE).exists():
        check_spec(folder, spec)
    elif any(folder.glob("shard-*.arrow")):
        raise RunError(
            f"{folder}: shards without {NOTE}, so nobody can tell how their frames were taken; "
            "delete the folder, then run fmau frames"
        )
    else:
        write_note(folder, spec)
