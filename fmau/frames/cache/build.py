"""Fills a frame cache, for `fmau frames`: decodes clips in parallel and writes them in shards.

Decoding runs in threads, not processes: PyAV and the JPEG encoder release the GIL while
they work, and frames need not be pickled.
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
"""A shard is complete at this many clips or bytes of JPEGs, whichever comes first. Until then it is
in memory, and a kill loses it: a minute of work for two cores at 1080x1296."""

Progress = Callable[[int, int], None]
"""Called with the number of clips done and the number of all clips."""


@dataclass(frozen=True, slots=True)
class CacheSummary:
    """The result of one call of `build_cache`.

    Attributes:
        done: number of clips extracted by this call.
        kept: number of clips whose frames the cache already held.
        failed: clip -> the reason why it has no frames.
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
    """Extract the frames of `clips` into the cache; clips whose video file has changed are redone.

    The call may be stopped or killed at any time; the next call continues. Clips that cannot be
    read are tried again by each call. Frames are kept if their video file is gone, or if their
    clip is not in `clips`.

    Args:
        folder: folder of the cache; it is created if missing.
        clips: clip name -> video file.
        spec: how a clip becomes frames.
        workers: number of clips decoded at the same time; use the number of cores.
        progress: called at the start and after every clip.
        read: function that decodes a clip.

    Raises:
        RunError: the cache was made with another `FramesBlock` (every key that differs is named),
            another process is filling it, or it cannot be written.
        InputError: some shards are damaged; all of them are listed.
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
            shards.flush()  # also after Ctrl-C, so that the decoded clips are kept
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
        # Clear the list before writing: after an interrupt here, flush is called again, and it
        # must not write the same rows twice.
        rows, self.rows, self.bytes = self.rows, [], 0
        if rows:
            write_shard(next_shard(self.folder), rows)


def _row(clip: str, path: Path, spec: FramesBlock, read: Read) -> Row | ClipError:
    source = Source.of(path)  # before decoding: a file that changes meanwhile is redone next time
    try:
        return as_row(replace(read(path, spec), clip=clip), source)
    except ClipError as error:
        return error


def _up_to_date(folder: Path, clips: Mapping[str, Path]) -> set[str]:
    """The clips whose frames are up to date; removes the frames of changed files from shards."""
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
    """Make a new folder a cache of `spec`; check that an existing cache is one of `spec`."""
    if (folder / NOTE).exists():
        check_spec(folder, spec)
    elif any(folder.glob("shard-*.arrow")):
        raise RunError(
            f"{folder}: has shards but no {NOTE}, so it is unknown how their frames were made; "
            "delete the folder, then run fmau frames"
        )
    else:
        write_note(folder, spec)
