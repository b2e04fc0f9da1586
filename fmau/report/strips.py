"""Reads the frames that a run's model saw, from the clips or their frame cache, for the report."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import ValidationError

from fmau.core.errors import ClipError, FmauError
from fmau.core.records import Question
from fmau.dataset.clips import clip_path
from fmau.frames.reader import ClipReader
from fmau.recipe import DataBlock, FramesBlock
from fmau.report.thumbnails import Strip, StripOf, make_strip
from fmau.runs import read_manifest


def strips_of(
    run: Path,
    questions: Iterable[Question],
    note: Callable[[str], None] = lambda _text: None,
) -> StripOf | None:
    """A function that returns the frames of a run's clip as one picture.

    Args:
        run: folder of the run.
        questions: the run's questions; they name the files of the clips.
        note: called with a text if clips or cache cannot be used.

    Returns:
        None if there is neither a folder of clips nor a cache.

    Raises:
        RunError: the folder holds no run.
    """
    recipe = read_manifest(run).recipe
    try:
        data = DataBlock.model_validate(recipe.get("data"))
        spec = FramesBlock.model_validate(recipe.get("frames"))
    except ValidationError as error:
        where = f"{error.title}: {error.errors()[0]['msg']}"
        note(f"{run}: its recipe is of another version ({where}); the report shows no frames")
        return None
    cache = data.cache if data.cache is not None and data.cache.is_dir() else None
    if not data.clips.is_dir() and cache is None:
        note(f"{data.clips}: no such folder; the report shows no frames")
        return None
    try:
        reader = ClipReader(spec, cache)
    except FmauError as error:
        note(f"{error}; the report decodes the clips instead")
        reader = ClipReader(spec)

    files = {question.clip: question.file for question in questions}

    def strip_of(clip: str) -> Strip | None:
        try:
            frames = reader(clip, clip_path(data.clips, files.get(clip, clip)))
        except ClipError:
            return None  # the report counts such clips
        return make_strip(frames.jpegs, [index / frames.fps for index in frames.indices])

    return strip_of
