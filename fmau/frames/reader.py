"""Frames of clips by name: out of a frame cache where it has them, else decoded."""

from pathlib import Path
from threading import Lock

from fmau.frames.clip import ClipFrames, Read, read_clip
from fmau.recipe import FramesBlock


class ClipReader:
    """Gives the frames of clips, to any number of threads.

    Args:
        spec: how a clip becomes frames.
        cache: folder of a frame cache; None to decode every clip.
        read: what decodes a clip.

    Attributes:
        decoded, cached: how often frames were decoded so far, and how often the cache had them.

    Raises:
        RunError: there is no cache in that folder, or one of other frames.
        InputError: shards of the cache are damaged; all are listed.
    """

    def __init__(
        self, spec: FramesBlock, cache: Path | None = None, *, read: Read = read_clip
    ) -> None:
        self.decoded = self.cached = 0
        self._spec = spec
        self._read = read
        self._counting = Lock()
        self._cache = None
        if cache is not None:
            from fmau.frames.cache import FrameCache  # brings pyarrow

            self._cache = FrameCache(cache)
            self._cache.check_spec(spec)

    def __call__(self, clip: str, path: Path) -> ClipFrames:
        """The frames of a clip.

        Args:
            path: its video file. One that was written anew since the cache was filled is decoded.

        Raises:
            ClipError: it cannot be decoded.
            InputError: its frames in the cache are damaged.
        """
        frames = self._cache.find(clip, path) if self._cache else None
        if frames is not None:
            with self._counting:
                self.cached += 1
            return frames
        frames = self._read(path, self._spec)
        with self._counting:
            self.decoded += 1
        return frames
