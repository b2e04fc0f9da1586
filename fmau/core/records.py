"""The frozen records that pass between stages.

A `Question` has no field for the gold answer, so nothing that answers questions can see one; gold
answers live in a `Gold` mapping beside the questions (`QuestionFile`), and only training targets,
judging and scoring ask for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from pydantic import BaseModel, ConfigDict

from fmau.core.taxonomy import Task


class Record(BaseModel):
    """Base of everything that is read from a file or written to one: frozen, and an unknown key is
    an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Gold = Mapping[str, str]
"""qid -> gold answer, as written in the question file."""


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a multiple-choice question.

    Attributes:
        letter: "A", "B", ...
        label: the action or part named, without any class code.
        class_code: the code that the official file leaves on some options ("A1"), else None.
    """

    letter: str
    label: str
    class_code: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one clip, without its answer.

    Attributes:
        qid: unique within its file, e.g. "MAS_1785".
        clip: name of the clip without extension.
        task: which of the eight tasks.
        stem: the question itself, without the option lines.
        options: the lettered options in order; empty unless the task is multiple choice.
    """

    qid: str
    clip: str
    task: Task
    stem: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """The contents of one question file.

    Attributes:
        questions: in file order.
        gold: qid -> answer, for the rows that carry one.
    """

    questions: tuple[Question, ...]
    gold: Gold = field(default_factory=lambda: MappingProxyType({}))


class AnswerStatus(StrEnum):
    """How one attempt at a question ended."""

    OK = "ok"
    """The model answered; `Answer.answer` holds the extracted answer."""
    UNPARSED = "unparsed"
    """The model replied, but no valid answer could be read from the reply."""
    TRUNCATED = "truncated"
    """The reply ran into the token limit before an answer was complete."""
    CLIP_FAILED = "clip_failed"
    """The clip could not be read, so the question was never asked."""
    REQUEST_FAILED = "request_failed"
    """The server gave no reply after all retries."""


class Answer(Record):
    """One line of `answers.jsonl`.

    Attributes:
        qid, clip, task: of the question.
        fingerprint: hash of everything that can change the answer (see `fmau.runs`).
        status: how the attempt ended; only "ok" rows carry an answer.
        answer: option letter, "Yes"/"No", or free text; None unless status is "ok".
        reply: the model's text as received, None if there was none.
        reason: why there is no answer, for people; None when status is "ok".
        prompt_tokens, cached_tokens, completion_tokens: as the server counted them.
        seconds: wall time from request to reply.
    """

    qid: str
    clip: str
    task: Task
    fingerprint: str
    status: AnswerStatus
    answer: str | None = None
    reply: str | None = None
    reason: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None

    @classmethod
    def failed(
        cls, question: Question, fingerprint: str, status: AnswerStatus, reason: str
    ) -> Self:
        """An answer row for a question that got no reply."""
        return cls(
            qid=question.qid,
            clip=question.clip,
            task=question.task,
            fingerprint=fingerprint,
            status=status,
            reason=reason,
        )


LEVELS = (1, 2, 3)
"""The levels at which an open answer is judged; what each asks depends on the task."""

LEVEL_MAX = 5
"""The best score at a level; the worst is 0."""


class VerdictStatus(StrEnum):
    """How one call of a judge ended. All but "scored" leave the answer unscored, never 0."""

    SCORED = "scored"
    """The judge gave an integer of 0 to 5 at every level it was asked about."""
    UNPARSED = "unparsed"
    """The judge replied, but not in the form it was told to."""
    OUT_OF_RANGE = "out_of_range"
    """The reply has the form, but a score that is no integer of 0 to 5."""
    REFUSED = "refused"
    """The judge declined."""
    TRUNCATED = "truncated"
    """The judge's reply ran into the token limit."""
    REQUEST_FAILED = "request_failed"
    """No reply came after all retries."""


class Verdict(Record):
    """One line of `verdicts.jsonl`: one call of one judge about one open answer.

    Attributes:
        qid, clip, task: of the question.
        judge: name of the judge; a run may have been judged by several.
        fingerprint: hash of everything that can change the verdict: judge, question, reference,
            answer, levels, sample.
        levels: asked about in this call: one, or all three.
        sample: 0 for the first opinion on the same answer, then 1, 2, ...
        status: how the call ended; only "scored" rows carry scores.
        scores: level -> 0 to 5, for exactly `levels`.
        rationale: why, in the judge's words.
        removed: passages of the answer that spoke to the judge instead of describing the clip, and
            were not shown to it.
        reply, reason: what the judge wrote, and why that is no score; None when scored.
        prompt_tokens, cached_tokens, completion_tokens: as the server counted them.
        seconds: wall time of the call.
    """

    qid: str
    clip: str
    task: Task
    judge: str
    fingerprint: str
    levels: tuple[int, ...]
    sample: int = 0
    status: VerdictStatus
    scores: dict[int, int] | None = None
    rationale: str | None = None
    removed: tuple[str, ...] = ()
    reply: str | None = None
    reason: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
