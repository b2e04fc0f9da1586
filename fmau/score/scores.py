"""The records of `scores.json`: what a run got right, how sure that is, what to hold it against.

Shares are in percent (0 to 100), judge levels on their own scale of 0 to 5. A value that cannot be
known (no gold answers, not judged yet) is None and printed as "–"; it is never 0.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from fmau.taxonomy import Task

Benchmark = Literal["MA-Bench", "other"]
Levels = tuple[float, float, float]
"""Mean judge scores of an open task at L1, L2 and L3, each 0 to 5."""

JUDGE_MAX = 5.0


class ScoreRecord(BaseModel):
    """Base of the records here: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(ScoreRecord):
    """A 95 % confidence interval, in percent."""

    low: float
    high: float


class Accuracy(ScoreRecord):
    """A share of right answers.

    Attributes:
        correct: right answers.
        total: questions that have a gold answer, answered or not. A question without an answer is
            not right, so leaving questions out can never raise an accuracy.
        percent: 100 x correct / total.
        wilson: Wilson score interval, as if all questions were independent.
        clustered: bootstrap interval over clips. Questions about one clip share its pixels and
            often its difficulty, so this is the one to quote; None with fewer than two clips.
    """

    correct: int
    total: int
    percent: float
    wilson: Interval
    clustered: Interval | None


class Baseline(ScoreRecord):
    """What always giving the same answer would score.

    Attributes:
        answer: the most frequent gold answer: "Yes"/"No", an option letter, or for CMAR a part.
        percent: its share among the gold answers.
    """

    answer: str
    percent: float


class TaskScore(ScoreRecord):
    """One task of one run.

    The six counts from `answered` to `unanswered` add up to `asked`.

    Attributes:
        task: which task.
        asked: questions of this task in the question file.
        with_gold: how many of them have a gold answer.
        answered: a valid answer was read.
        unparsed: the model replied, but no valid answer could be read.
        truncated: the reply was cut off at the token limit.
        clip_failed: the clip could not be read.
        request_failed: the server gave no reply.
        unanswered: there is no row for the question at all.
        accuracy: over all questions with gold; None for open tasks and without gold.
        answered_percent: 100 x correct / answered questions with gold. It flatters a model that
            fails on hard clips, so read it beside `accuracy`, not instead of it.
        chance: what guessing uniformly among the options scores; None for open tasks.
        majority: the best constant answer on this file; None without gold.
        levels: mean judge scores of an open task; None until judged.
    """

    task: Task
    asked: int
    with_gold: int
    answered: int
    unparsed: int
    truncated: int
    clip_failed: int
    request_failed: int
    unanswered: int
    accuracy: Accuracy | None
    answered_percent: float | None
    chance: float | None
    majority: Baseline | None
    levels: Levels | None = None

    @property
    def failed(self) -> int:
        """Questions that never reached the model: unreadable clip or no reply."""
        return self.clip_failed + self.request_failed


class Confusion(ScoreRecord):
    """CMAR by body part: which part was right, which was chosen.

    Attributes:
        parts: the 7 labels in code order; both axes of `counts`.
        counts: counts[i][j] questions whose gold part is i and whose chosen part is j.
        no_answer: per gold part, questions without a valid answer.
        recall: per gold part, percent answered with that part, out of all its questions; None
            where the file has no question of the part.
    """

    parts: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    no_answer: tuple[int, ...]
    recall: tuple[float | None, ...]


class Average(ScoreRecord):
    """Closed-AVG: plain mean of the six closed accuracies, each task weighing the same.

    Attributes:
        percent: the mean.
        clustered: bootstrap interval over clips; None with fewer than two clips.
    """

    percent: float
    clustered: Interval | None


class Scores(ScoreRecord):
    """Everything scored about one set of answers.

    Attributes:
        benchmark: "MA-Bench" if the questions are its 12,000, else "other": a mini benchmark, a
            sample. Only the former may be compared with the paper's rows.
        questions, clips, with_gold: size of the question file.
        tasks: per task, in the order of the paper.
        fmar_by_label: FMAR where any option counts whose label is the gold option's. Some FMAR
            questions list a label twice; the strict accuracy in `tasks` wants the gold letter.
        cmar_confusion: None without CMAR gold.
        closed_avg: None unless all six closed tasks have gold.
        chance_avg, majority_avg: the same mean over `chance` and `majority`.
        open_avg: plain mean of the six judge levels (0 to 5); None until judged.
        final: the official score, mean of the six accuracies and of the six levels x 20.
    """

    benchmark: Benchmark
    questions: int
    clips: int
    with_gold: int
    tasks: dict[Task, TaskScore]
    fmar_by_label: Accuracy | None
    cmar_confusion: Confusion | None
    closed_avg: Average | None
    chance_avg: float
    majority_avg: float | None
    open_avg: float | None
    final: float | None
