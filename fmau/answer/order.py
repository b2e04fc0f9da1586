"""The order of asking: clip by clip.

The server keeps a clip's vision encoding and the KV blocks of the shared prefix for as long as
memory lasts, and 1,000 clips do not fit at once. A question file is shuffled, its questions about
one clip lie hundreds of rows apart; asked in that order nearly every question would be computed
from nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fmau.core.records import Question
from fmau.core.taxonomy import Task

_TASK_RANK = {task: rank for rank, task in enumerate(Task)}


@dataclass(frozen=True, slots=True)
class ClipQuestions:
    """What is to be asked about one clip.

    Attributes:
        clip: name without extension.
        questions: in the order of the tasks, so that the first, for which the others wait, is
            a closed one (one token long) wherever there is one.
    """

    clip: str
    questions: tuple[Question, ...]


def by_clip(questions: Iterable[Question]) -> list[ClipQuestions]:
    """Questions grouped by clip, in an order that depends on names alone, not on the file's."""
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        groups[question.clip].append(question)
    return [
        ClipQuestions(clip, tuple(sorted(groups[clip], key=lambda q: (_TASK_RANK[q.task], q.qid))))
        for clip in sorted(groups)
    ]
