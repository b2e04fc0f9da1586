"""The questions that are left to ask, and the interface that takes their rows (`Sink`).

The engine and the Ray driver use both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fmau.answer.order import ClipQuestions, by_clip
from fmau.answer.summary import Summary
from fmau.core.records import Answer, Question, RowMark
from fmau.dataset.clips import clip_bytes
from fmau.recipe import Recipe


class Done(Protocol):
    """Knows which questions have a final answer: a `Run`, a `RunView`, or an object like them."""

    def row_mark(self, question: Question, clip_bytes: int | None) -> RowMark:
        """Fingerprints of a question's row; `clip_bytes` is the file size of its clip, if any."""

    def is_done(self, qid: str, row_fingerprint: str) -> bool:
        """Whether a final row with this qid and fingerprint exists already."""


class Sink(Done, Protocol):
    """Takes answer rows and knows which ones it has already: a `Run`, or an object like it."""

    @property
    def adapter(self) -> str | None:
        """Folder of the LoRA adapter to ask; None for the base model."""

    def append(self, answer: Answer) -> None:
        """Take one row."""

    def note(self, facts: dict[str, Any]) -> None:
        """Take facts about the session, for the manifest."""


def unanswered(run: Sink, recipe: Recipe, questions: Sequence[Question]) -> bool:
    """Whether any question has no final answer in `run` yet."""
    pending = pending_clips(run, recipe, by_clip(questions), Summary(len(questions)))
    return next(pending, None) is not None


@dataclass(frozen=True, slots=True)
class Pending:
    """The questions that are left to ask about one clip, each with the fingerprints of its row."""

    clip: str
    questions: tuple[tuple[Question, RowMark], ...]

    @property
    def file(self) -> str:
        """The name to look the clip's file up by."""
        return self.questions[0][0].file


def pending_clips(
    run: Done, recipe: Recipe, clips: Iterable[ClipQuestions], summary: Summary
) -> Iterator[Pending]:
    """Yield the unanswered questions by clip; count the others in `summary.done_before`."""
    for asked in clips:
        # Where there is no size, reading the clip fails likewise, and its rows say why.
        size = clip_bytes(recipe.data.clips, asked.file)
        wanted = [(question, run.row_mark(question, size)) for question in asked.questions]
        left = [pair for pair in wanted if not run.is_done(pair[0].qid, pair[1].fingerprint)]
        summary.done_before += len(wanted) - len(left)
        if left:
            yield Pending(asked.clip, tuple(left))
