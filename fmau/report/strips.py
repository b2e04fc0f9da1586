"""The frames that a run's model saw, out of its clips or their frame cache, for the report."""

from collections.abc import Callable
from pathlib import Path

from fmau.core.errors import ClipError, FmauError
from fmau.dataset.clips import clip_path
from fmau.frames.reader import ClipReader
from fmau.recipe import DataBlock, FramesBlock
from fmau.report.thumbnails import Strip, StripOf, make_strip
from fmau.runs import read_manifest


def strips_of(run: Path, note: Callable[[str], None] = lambda _text: None) -> StripOf | None:
    """What gives the frames of a run's clips as pictures; None where neither clips nor a cache are.

    Args:
        run: folder of the run.
        note: told what cannot be had, and why.

    Raises:
        RunError: no run there.
    """
    recipe = read_manifest(run).recipe
    data = DataBlock.model_validate(recipe["data"])
    spec = FramesBlock.model_validate(recipe["frames"])
    cache = data.cache if data.cache is not None and data.cache.is_dir() else None
    if not data.clips.is_dir() and cache is None:
        note(f"{data.clips}: no such folder; no frames are shown")
        return None
    try:
        reader = ClipReader(spec, cache)
    except FmauError as error:
        note(f"{error}; clips are decoded")
        reader = ClipReader(spec)

    def strip_of(clip: str) -> Strip | None:
        try:
            frames = reader(clip, clip_path(data.clips, clip))
        except ClipError:
            return None  # the report counts such clips
        return make_strip(frames.jpegs, [index / frames.fps for index in frames.indices])

    return strip_of
