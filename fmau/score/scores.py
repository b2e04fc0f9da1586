"""The records of `scores.json`: what a run got right, how sure that is, what to hold it against.

Shares are in percent (0 to 100), judge levels on their own scale of 0 to 5. A value that cannot be
known (no gold answers, not judged yet) is None and printed as "–"; it is never 0.
"""

from typing import Literal

from pydantic import Field

from fmau.core.records import Record
from fmau.core.taxonomy import Task, Tier
from fmau.score.intervals import Interval
from fmau.score.levels import JudgeAgreement, Judgement

Benchmark = Literal["MA-Bench", "other"]


class Accuracy(Record):
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


class Baseline(Record):
    """What always giving the same answer would score.

    Attributes:
        answer: the most frequent gold answer: "Yes"/"No", an option letter, or for CMAR a part.
        percent: its share among the gold answers.
    """

    answer: str
    percent: float


class TaskScore(Record):
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
        refused: replies that decline to answer, counted among the above too.
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
    refused: int = 0

    @property
    def failed(self) -> int:
        """Questions that never reached the model: unreadable clip or no reply."""
        return self.clip_failed + self.request_failed


class Confusion(Record):
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


class LabelConfusion(Record):
    """FMAR by action: one entry per pair that occurs, since most of 52 x 52 never does.

    Attributes:
        gold, chosen: labels; `chosen` is None where there is no valid answer.
        count: questions.
    """

    gold: str
    chosen: str | None
    count: int


class Share(Record):
    """A plain share of right answers in a small group, with Wilson's interval.

    Attributes:
        name: of the group: an action, a body part.
        task: whose questions were counted.
        correct, total: right answers of questions with gold.
        percent: 100 x correct / total.
        wilson: in percent.
    """

    name: str
    task: Task
    correct: int
    total: int
    percent: float
    wilson: Interval


class FmarReadings(Record):
    """FMAR read four ways; some of MA-Bench's rows give their answer away.

    A row leaks if an option carries a class code or a label is listed twice.

    Attributes:
        strict: the gold letter; the same as in `Scores.tasks`.
        by_label: any option whose label is the gold option's.
        strict_clean, by_label_clean: the same over the rows that do not leak; None if all do.
        leaking: rows that leak.
    """

    strict: Accuracy
    by_label: Accuracy
    strict_clean: Accuracy | None
    by_label_clean: Accuracy | None
    leaking: int


class LabelMatch(Record):
    """MARE by the labels that an answer ends in, which needs no judge.

    Attributes:
        fine: the micro-action is the reference's; over all questions whose reference names one.
        coarse: its body part is.
        unlabelled: answers that name no micro-action.
    """

    fine: Accuracy
    coarse: Accuracy
    unlabelled: int


class Average(Record):
    """Closed-AVG: plain mean of the six closed accuracies, each task weighing the same.

    Attributes:
        percent: the mean.
        clustered: bootstrap interval over clips; None with fewer than two clips.
    """

    percent: float
    clustered: Interval | None


class Scores(Record):
    """Everything scored about one set of answers.

    Attributes:
        benchmark: "MA-Bench" if the questions are its 12,000, else "other": a mini benchmark, a
            sample. Only the former may be compared with the paper's rows.
        questions, clips, with_gold: size of the question file.
        tasks: per task, in the order of the paper.
        cmar_confusion: None without CMAR gold.
        closed_avg: None unless all six closed tasks have gold.
        chance_avg, majority_avg: the same mean over `chance` and `majority`.
        open_avg, final: of the LLM judge in `judgements`, the first if there are several; None
            until one has judged, whatever a proxy says.
        fmar: FMAR read four ways; None without FMAR gold.
        fmar_confusion: gold action against chosen action, pairs that occur.
        by_action: per task and gold action of the clip (from its FMAR question), in code order.
        by_part: per task and gold part of the clip (from its CMAR question), in code order.
        tiers: mean accuracy of a tier's closed tasks; tiers without gold are left out.
        mare_labels: None without MARE references that name an action.
        judgements: one per judge of the run, LLM judges before proxies.
        agreements: one per pair of judges that scored the same answers.
    """

    benchmark: Benchmark
    questions: int
    clips: int
    with_gold: int
    tasks: dict[Task, TaskScore]
    cmar_confusion: Confusion | None
    closed_avg: Average | None
    chance_avg: float
    majority_avg: float | None
    open_avg: float | None
    final: float | None
    fmar: FmarReadings | None = None
    fmar_confusion: tuple[LabelConfusion, ...] = ()
    by_action: tuple[Share, ...] = ()
    by_part: tuple[Share, ...] = ()
    tiers: dict[Tier, Average] = Field(default_factory=dict)
    mare_labels: LabelMatch | None = None
    judgements: tuple[Judgement, ...] = ()
    agreements: tuple[JudgeAgreement, ...] = ()
