"""Reads a frame cache."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fmau.core.errors import ClipError, InputError, Problem
from fmau.frames.cache.ahead import map_ahead
from fmau.frames.cache.note import check_spec, read_note
from fmau.frames.cache.shards import NO_SOURCE, Shard, Source, open_shards
from fmau.frames.clip import ClipFrames
from fmau.recipe import FramesBlock


class FrameCache:
    """Clip -> its frames. Nothing is written, so any number of processes may read one folder.

    It shows what was there when it was opened. Pickled, it is a path: a process of a DataLoader
    opens the folder anew and maps the same memory.

    Attributes:
        folder: of the cache.
        spec: how every clip became frames.

    Raises:
        RunError: there is no cache, or one of another version.
        InputError: shards are damaged; all are listed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec: FramesBlock = read_note(folder).frames
        self._places: dict[str, tuple[Shard, int]] = {
            clip: (shard, row)
            for shard in open_shards(folder)
            for row, clip in enumerate(shard.clips)
        }

    def __len__(self) -> int:
        return len(self._places)

    def __reduce__(self) -> tuple[Any, ...]:
        return FrameCache, (self.folder,)

    @property
    def names(self) -> list[str]:
        """All clips, in the order in which they lie on the disk."""
        return list(self._places)

    def __getitem__(self, clip: str) -> ClipFrames:
        """The frames of a clip, just as `read_clip` gave them.

        Raises:
            ClipError: the cache does not hold the clip.
            InputError: the frames are damaged.
        """
        if clip not in self._places:
            raise ClipError(f"{self.folder}: holds no frames of clip {clip}; run fmau frames")
        shard, row = self._places[clip]
        return shard.frames(row)

    def find(self, clip: str, path: Path) -> ClipFrames | None:
        """The frames of a clip if they were taken from its video file as it is now.

        Args:
            path: the file; where there is none, the frames stand for it.

        Returns:
            None if the cache does not hold the clip, or the file was written anew.

        Raises:
            InputError: the frames are damaged.
        """
        if clip not in self._places:
            return None
        shard, row = self._places[clip]
        return shard.frames(row) if Source.of(path) in (shard.source(row), NO_SOURCE) else None

    def check_spec(self, spec: FramesBlock) -> None:
        """Refuse to be used by a recipe that asks for other frames.

        Raises:
            RunError: with every key that differs.
        """
        check_spec(self.folder, spec)

    def missing(self, clips: Iterable[str]) -> list[str]:
        """Those of `clips` that the cache does not hold, in the order given."""
        return [clip for clip in clips if clip not in self._places]

    def verify(
        self, *, workers: int = 1, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> None:
        """Read and decode every frame.

        Args:
            workers: clips decoded at the same time.
            progress: told after every clip: clips done, clips in all.

        Raises:
            InputError: rows whose checksum, number or size of frames is wrong; all are listed.
        """
        problems: list[Problem] = []
        found = map_ahead(lambda place: self._problems(*place), self._places.values(), workers)
        for done, of_clip in enumerate(found, start=1):
            problems += of_clip
            progress(done, len(self))
        if problems:
            raise InputError(problems)

    def _problems(self, shard: Shard, row: int) -> Iterable[Problem]:
        try:
            frames = shard.frames(row)
            shape = frames.pixels_THWC().shape
        except InputError as error:
            return error.problems
        except (OSError, ValueError) as error:
            return [shard.problem(row, f"its JPEGs cannot be decoded ({error})")]
        promised = (self.spec.count, frames.height, frames.width, 3)
        if shape != promised or len(frames.indices) != self.spec.count:
            return [shard.problem(row, f"frames of shape {shape} instead of {promised}")]
        return []
