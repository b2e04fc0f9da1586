"""The frames of a cache, decoded once more from their clips by the other decoder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fmau.core.errors import ClipError, InputError, Problem
from fmau.frames.cache.ahead import map_ahead
from fmau.frames.cache.reader import FrameCache
from fmau.frames.clip import read_clip_with
from fmau.frames.second import decode_again


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What a second decoding of a cache's clips found.

    Attributes:
        equal: clips whose frames are the same by both decoders.
        left_out: clips that the second decoder cannot be relied on for, or that are gone.
    """

    equal: int
    left_out: int


def recheck(
    cache: FrameCache,
    clips: Mapping[str, Path],
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Rechecked:
    """Decode clips with decord, and compare their frames with those in the cache.

    Args:
        clips: name -> video file; those that the cache does not hold are passed over.
        workers: clips decoded at the same time.
        progress: told after every clip: clips done, clips in all.

    Raises:
        InputError: frames differ; all clips with such frames are listed.
    """
    held = {clip: path for clip, path in clips.items() if clip not in set(cache.missing(clips))}
    found = map_ahead(lambda item: _same(cache, *item), held.items(), workers)
    outcomes = []
    for done, outcome in enumerate(found, start=1):
        outcomes.append(outcome)
        progress(done, len(held))
    problems = [
        Problem(
            str(path),
            "its frames in the cache differ from what decord decodes",
            "look at the clip, then delete the cache and run fmau frames again",
        )
        for path, outcome in zip(held.values(), outcomes, strict=True)
        if outcome is False
    ]
    if problems:
        raise InputError(problems)
    return Rechecked(outcomes.count(True), outcomes.count(None))


def _same(cache: FrameCache, clip: str, path: Path) -> bool | None:
    """Whether both decoders give the same frames; None if that cannot be told."""
    held = cache.find(clip, path)
    if held is None or not path.is_file():
        return None
    try:
        again = read_clip_with(decode_again, path, cache.spec)
    except ClipError:
        return None
    return None if again is None else again.jpegs == held.jpegs
