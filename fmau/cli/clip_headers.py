"""Reads the header of every clip that questions are about, for `fmau check`."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fmau.core.errors import ClipError, InputError, Problem
from fmau.core.files import path_remedy
from fmau.core.records import Question
from fmau.dataset.clips import clip_path
from fmau.frames.timeline import Timeline, probe

PROBES_AT_ONCE = 8
"""Threads that read clip headers; several hide the latency of a network disk."""


def probe_clips(folder: Path, questions: Sequence[Question]) -> dict[str, Timeline]:
    """Clip -> timeline, of every clip that the questions are about.

    Args:
        folder: of the clips.

    Raises:
        InputError: there is no such folder, or clips cannot be read; all are listed.
    """
    if not folder.is_dir():
        place = f"data.clips {folder}"
        raise InputError([Problem(place, "no such folder", path_remedy(folder))])
    asked = Counter(question.clip for question in questions)
    files = {question.clip: question.file for question in questions}

    def look(clip: str) -> Timeline | ClipError:
        try:
            return probe(clip_path(folder, files[clip]))
        except ClipError as error:
            return error

    with ThreadPoolExecutor(PROBES_AT_ONCE) as pool:
        looks = dict(zip(asked, pool.map(look, asked), strict=True))
    problems = []
    for clip, found in looks.items():
        if isinstance(found, ClipError):
            where, _, rest = str(found).partition(": ")
            what, _, remedy = rest.partition("; ")
            problems.append(Problem(where, f"{what} ({asked[clip]} questions need it)", remedy))
    if problems:
        raise InputError(problems)
    return {clip: found for clip, found in looks.items() if isinstance(found, Timeline)}
