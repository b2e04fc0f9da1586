"""Gives frames of clips by name: from a frame cache if it has them, else decoded.

`fmau answer` and `fmau ask` read clips with it.
"""

from pathlib import Path
from threading import Lock

from fmau.frames.clip import ClipFrames, Read, read_clip
from fmau.recipe import FramesBlock


class ClipReader:
    """Gives the frames of clips; any number of threads may call it.

    Args:
        spec: how a clip becomes frames.
        cache: folder of a frame cache; None to decode every clip.
        read: function that decodes a clip.

    Attributes:
        decoded, cached: number of calls answered by decoding, and from the cache.

    Raises:
        RunError: the folder holds no cache, or its frames were made with other settings.
        InputError: some shards of the cache are damaged; all of them are listed.
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
            from fmau.frames.cache import FrameCache  # here, because it imports pyarrow

            self._cache = FrameCache(cache)
            self._cache.check_spec(spec)

    def __call__(self, clip: str, path: Path) -> ClipFrames:
        """The frames of a clip.

        Args:
            path: the clip's video file. If it has changed since the cache was filled, it is
                decoded.

        Raises:
            ClipError: the clip cannot be decoded.
            InputError: the clip's frames in the cache are damaged.
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
