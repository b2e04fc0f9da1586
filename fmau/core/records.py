"""The frozen records that one stage passes to the next: questions, answers, verdicts.

A `Question` has no field for the gold answer, so code that answers questions cannot see it. Gold
answers are in a separate `Gold` mapping of the `QuestionFile`; only training, judging and scoring
use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fmau.core.taxonomy import AnyTask, OwnTask


class Record(BaseModel):
    """Base class of everything that is read from files or written to them. Records are frozen, and
    an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Gold = Mapping[str, str]
"""qid -> gold answer, as written in the question file."""


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a multiple-choice question.

    Attributes:
        letter: "A", "B", ...
        label: name of the action or body part, without class code.
        class_code: the code after the label ("A1") that some options of the official file have;
            else None.
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
        task: one of the eight tasks, or a task of the file's own.
        stem: text of the question, without the option lines.
        options: the lettered options in order; empty unless the task is multiple choice.
        named: file name of the clip, if a row of its file gives one with a suffix; else "".
    """

    qid: str
    clip: str
    task: AnyTask
    stem: str
    options: tuple[Option, ...] = ()
    named: str = ""

    @property
    def file(self) -> str:
        """The name to look the clip's file up by."""
        return self.named or self.clip


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """The contents of one question file.

    Attributes:
        questions: in file order.
        gold: qid -> answer, for the rows that have an answer.
    """

    questions: tuple[Question, ...]
    gold: Gold = field(default_factory=lambda: MappingProxyType({}))

    @property
    def own_tasks(self) -> tuple[OwnTask, ...]:
        """The file's own tasks, which MA-Bench does not have; closed ones first, then by name."""
        found = {q.task for q in self.questions if isinstance(q.task, OwnTask)}
        return tuple(sorted(found, key=lambda task: (task.is_open, task.name)))


class AnswerStatus(StrEnum):
    """How one attempt at a question ended."""

    OK = "ok"
    """The model answered; `Answer.answer` holds the extracted answer."""
    UNPARSED = "unparsed"
    """The model replied, but no valid answer could be read from the reply."""
    TRUNCATED = "truncated"
    """The reply reached the token limit before the answer was complete."""
    CLIP_FAILED = "clip_failed"
    """The clip could not be read, so the question was never asked."""
    REQUEST_FAILED = "request_failed"
    """The server gave no reply after all retries."""


class RowMark(NamedTuple):
    """The two fingerprints of a row of `answers.jsonl`, with and without the clip's file."""

    fingerprint: str
    without_clip: str


class Answer(Record):
    """One line of `answers.jsonl`.

    A row whose answer does not fit its status is an error when it is read.

    Attributes:
        qid, clip, task: of the question; the task by its name.
        fingerprint: hash of everything that can change the answer (see `fmau.runs`).
        fingerprint_without_clip: the same without the size of the clip's file, so that rows can be
            checked where the clips are not; None in rows of fmau 0.1.0.
        status: how the attempt ended; only "ok" rows have an answer.
        answer: option letter, "Yes"/"No", or free text; None unless status is "ok".
        reply: the model's text as received, None if there was none.
        reason: why there is no answer, for people; None when status is "ok".
        prompt_tokens, cached_tokens, completion_tokens: as the server counted them.
        seconds: wall time from request to reply.
        thinking: what the model thought before its answer; None if it did not think.
        thinking_tokens: number of its tokens, as the server counted them.
        thinking_ran_out: whether the budget ended the thinking, not the model.
        option_scores: answer -> its log-probability among all replies; None if it was not asked
            for.
    """

    qid: str
    clip: str
    task: str
    fingerprint: str
    fingerprint_without_clip: str | None = None
    status: AnswerStatus
    answer: str | None = None
    reply: str | None = None
    reason: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    thinking: str | None = None
    thinking_tokens: int | None = None
    thinking_ran_out: bool | None = None
    option_scores: dict[str, float] | None = None

    @model_validator(mode="after")
    def _answer_fits(self) -> Self:
        if (self.status is AnswerStatus.OK) != (self.answer is not None):
            raise ValueError('a row must have an answer if its status is "ok", and none otherwise')
        return self

    @classmethod
    def about(cls, question: Question, mark: RowMark, **rest: Any) -> Self:
        """Build the row of a question; `rest` is what the question and its mark do not say."""
        return cls(
            qid=question.qid,
            clip=question.clip,
            task=str(question.task),
            fingerprint=mark.fingerprint,
            fingerprint_without_clip=mark.without_clip,
            **rest,
        )

    @classmethod
    def failed(cls, question: Question, mark: RowMark, status: AnswerStatus, reason: str) -> Self:
        """Build the row of a question that got no reply."""
        return cls.about(question, mark, status=status, reason=reason)


LEVELS = (1, 2, 3)
"""The levels at which an open answer is judged; their meaning depends on the task."""

LEVEL_MAX = 5
"""The best score at a level; the worst is 0."""

Points = Annotated[int, Field(strict=True, ge=0, le=LEVEL_MAX)]
"""A judge's score at one level."""


class VerdictStatus(StrEnum):
    """How one call of a judge ended. Any status but "scored" means unscored; it never means 0."""

    SCORED = "scored"
    """The judge gave an integer from 0 to 5 for every level of the call."""
    UNPARSED = "unparsed"
    """The judge replied, but not in the required form."""
    OUT_OF_RANGE = "out_of_range"
    """The reply has the required form, but a score is not an integer from 0 to 5."""
    REFUSED = "refused"
    """The judge refused to score."""
    TRUNCATED = "truncated"
    """The judge's reply reached the token limit."""
    REQUEST_FAILED = "request_failed"
    """No reply came after all retries."""


class Verdict(Record):
    """One line of `verdicts.jsonl`: one call of one judge about one open answer.

    A row whose scores do not fit its levels or its status is an error when it is read.

    Attributes:
        qid, clip, task: of the question.
        judge: name of the judge; a run may have been judged by several.
        fingerprint: hash of everything that can change the verdict: judge, question, reference,
            answer, levels, sample.
        levels: the levels of this call: one, or all three.
        sample: 0 for the first opinion on the same answer, then 1, 2, ...
        status: how the call ended; only "scored" rows have scores.
        scores: level -> 0 to 5, for exactly `levels`.
        rationale: the judge's own explanation.
        removed: passages of the answer that address the judge instead of describing the clip; the
            judge did not see them.
        reply, reason: the judge's text, and why it has no score; None when scored.
        prompt_tokens, cached_tokens, completion_tokens: as the server counted them.
        seconds: wall time of the call.
    """

    qid: str
    clip: str
    task: str
    judge: str
    fingerprint: str
    levels: tuple[int, ...]
    sample: int = 0
    status: VerdictStatus
    scores: dict[int, Points] | None = None
    rationale: str | None = None
    removed: tuple[str, ...] = ()
    reply: str | None = None
    reason: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None

    @model_validator(mode="after")
    def _scores_fit(self) -> Self:
        if not self.levels or set(self.levels) - set(LEVELS):
            raise ValueError(f"levels must be some of {', '.join(map(str, LEVELS))}")
        if (self.status is VerdictStatus.SCORED) != (self.scores is not None):
            raise ValueError('a row must have scores if its status is "scored", and none otherwise')
        if self.scores is not None and set(self.scores) != set(self.levels):
            raise ValueError("a row must have one score for each of its levels")
        return self
