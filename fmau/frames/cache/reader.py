"""Reads a frame cache, for training, answering and `fmau frames --verify`."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from fmau.core.errors import ClipError, InputError, Problem
from fmau.frames.cache.ahead import map_ahead
from fmau.frames.cache.note import check_spec, read_note
from fmau.frames.cache.shards import NO_SOURCE, Shard, Source, open_shards
from fmau.frames.clip import ClipFrames
from fmau.recipe import FramesBlock


class FrameCache:
    """A mapping from clip name to frames. It only reads, so many processes may use one folder.

    It shows the content of the folder at the time it was opened. Pickling stores the path only: a
    DataLoader process opens the folder again and shares the mapped memory.

    Attributes:
        folder: folder of the cache.
        spec: the settings with which every clip was made into frames.

    Raises:
        RunError: the folder holds no cache, or a cache of another version.
        InputError: some shards are damaged; all of them are listed.
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
        """Names of all clips, in the order of the shards."""
        return list(self._places)

    def __getitem__(self, clip: str) -> ClipFrames:
        """The frames of a clip, exactly as `read_clip` returned them.

        Raises:
            ClipError: the cache does not hold the clip.
            InputError: the frames are damaged.
        """
        if clip not in self._places:
            raise ClipError(f"{self.folder}: has no frames of clip {clip}; run fmau frames RECIPE")
        shard, row = self._places[clip]
        return shard.frames(row)

    def find(self, clip: str, path: Path) -> ClipFrames | None:
        """The frames of a clip, if they are up to date with its video file.

        Args:
            path: the video file. If it does not exist, the cached frames count as up to date.

        Returns:
            None if the cache does not hold the clip, or the file has changed since.

        Raises:
            InputError: the frames are damaged.
        """
        return self[clip] if clip in self._places and self._up_to_date(clip, path) else None

    def check_spec(self, spec: FramesBlock) -> None:
        """Check that the frames were made with the settings of a recipe.

        Raises:
            RunError: they were not; every key that differs is named.
        """
        check_spec(self.folder, spec)

    def missing(self, clips: Iterable[str]) -> list[str]:
        """The clips among `clips` that the cache does not hold, in the order given."""
        return [clip for clip in clips if clip not in self._places]

    def changed(self, paths: Mapping[str, Path]) -> list[str]:
        """The clips whose video file has changed since their frames were made, in the order given.

        Args:
            paths: clip -> its video file. If a file does not exist, the cached frames count as up
                to date, as in `find`.
        """
        held = {clip: path for clip, path in paths.items() if clip in self._places}
        return [clip for clip, path in held.items() if not self._up_to_date(clip, path)]

    def checksum(self, clip: str) -> str:
        """Checksum (hex) of the frames of a clip that the cache holds."""
        shard, row = self._places[clip]
        return shard.checksum(row)

    def _up_to_date(self, clip: str, path: Path) -> bool:
        shard, row = self._places[clip]
        return Source.of(path) in (shard.source(row), NO_SOURCE)

    def verify(
        self, *, workers: int = 1, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> None:
        """Read and decode every frame, to find damaged ones.

        Args:
            workers: number of clips decoded at the same time.
            progress: called after every clip, with clips done and all clips.

        Raises:
            InputError: rows have a wrong checksum, number or size of frames; all are listed.
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
