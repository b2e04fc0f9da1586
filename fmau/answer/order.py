"""Group questions by clip, the order in which the engine asks them.

The server caches a clip's vision encoding and the KV blocks of the shared prefix, but its memory
cannot hold 1,000 clips at once. Question files are shuffled: the questions about one clip are
hundreds of rows apart. In file order, nearly every question would find nothing in the caches.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fmau.core.records import Question
from fmau.core.taxonomy import AnyTask, Task

_RANK: dict[AnyTask, int] = {task: rank for rank, task in enumerate(Task)}


@dataclass(frozen=True, slots=True)
class ClipQuestions:
    """The questions to ask about one clip.

    Attributes:
        clip: name of the clip without extension.
        questions: in task order, closed tasks first. The other questions wait for the first, and a
            closed question is answered fastest (one token).
    """

    clip: str
    questions: tuple[Question, ...]

    @property
    def file(self) -> str:
        """The name to look the clip's file up by."""
        return self.questions[0].file


def by_clip(questions: Iterable[Question]) -> list[ClipQuestions]:
    """Group questions by clip. The order depends only on clip names, tasks and qids, not on the
    order of the file."""
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        groups[question.clip].append(question)
    return [ClipQuestions(clip, tuple(sorted(groups[clip], key=_rank))) for clip in sorted(groups)]


def _rank(question: Question) -> tuple[bool, int, str, str]:
    task = question.task
    return task.is_open, _RANK.get(task, len(_RANK)), str(task), question.qid
