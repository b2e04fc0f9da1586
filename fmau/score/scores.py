"""The records of `scores.json`: accuracies, their intervals, and the baselines beside them.

`fmau.score.compute` fills them, `fmau.report` prints them. Shares are in percent (0 to 100), judge
levels 0 to 5. A value that cannot be known (no gold answers, not judged yet) is None and printed as
"–"; it is never 0.
"""

from typing import Literal

from pydantic import Field

from fmau.core.records import Record
from fmau.core.taxonomy import Task, Tier
from fmau.score.calibration import Calibration
from fmau.score.intervals import Interval
from fmau.score.levels import JudgeAgreement, Judgement

Benchmark = Literal["MA-Bench", "other"]


class Accuracy(Record):
    """A share of right answers.

    Attributes:
        correct: number of right answers.
        total: number of questions with a gold answer, answered or not. A question without an
            answer counts as wrong, so leaving questions out can never raise an accuracy.
        percent: 100 x correct / total.
        wilson: Wilson score interval, as if all questions were independent.
        clustered: bootstrap interval over clips; None for fewer than two clips. Quote this one:
            questions about one clip are not independent.
    """

    correct: int
    total: int
    percent: float
    wilson: Interval
    clustered: Interval | None


class Baseline(Record):
    """The score of a model that always gives the same answer.

    Attributes:
        answer: the most frequent gold answer: "Yes"/"No", an option letter, or for CMAR a part.
        percent: its share among the gold answers.
    """

    answer: str
    percent: float


class TaskScore(Record):
    """One task of one run.

    The six counts from `answered` to `unanswered`, and `stale`, add up to `asked`.

    Attributes:
        task: which task.
        asked: number of questions of this task in the question file.
        with_gold: how many of them have a gold answer.
        answered: questions with a valid answer.
        unparsed: questions with a reply that holds no valid answer.
        truncated: questions whose reply was cut off at the token limit.
        clip_failed: questions whose clip could not be read.
        request_failed: questions that the server gave no reply to.
        unanswered: questions without any row.
        accuracy: accuracy over all questions with gold; None for open tasks and without gold.
        answered_percent: 100 x correct / answered questions with gold. A model that fails on hard
            clips gets too high a value, so read it together with `accuracy`.
        chance: percent that uniform guessing among the options scores; None for open tasks.
        majority: the best constant answer on this file; None without gold.
        refused: replies that decline to answer; the six counts above include them.
        stale: questions whose row answers the question as it was before, or was given under other
            conditions; such an answer does not count.
    """

    task: str
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
    stale: int = 0

    @property
    def failed(self) -> int:
        """Questions that never reached the model: unreadable clip or no reply."""
        return self.clip_failed + self.request_failed


class Confusion(Record):
    """Confusion matrix of CMAR over the body parts.

    Attributes:
        parts: the 7 labels in code order; both axes of `counts`.
        counts: counts[i][j] is the number of questions with gold part i and chosen part j.
        no_answer: per gold part, number of questions without a valid answer.
        recall: per gold part, percent of its questions answered with that part; None if the file
            has no question of the part.
    """

    parts: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    no_answer: tuple[int, ...]
    recall: tuple[float | None, ...]


class LabelConfusion(Record):
    """One entry of FMAR's confusion matrix; only pairs of actions that occur have an entry.

    Attributes:
        gold, chosen: labels; `chosen` is None if there is no valid answer.
        count: number of questions.
    """

    gold: str
    chosen: str | None
    count: int


class Share(Record):
    """A plain share of right answers in a small group, with Wilson's interval.

    Attributes:
        name: name of the group: an action or a body part.
        task: the task whose questions were counted.
        correct, total: number of right answers, and of questions with gold.
        percent: 100 x correct / total.
        wilson: Wilson score interval in percent.
    """

    name: str
    task: Task
    correct: int
    total: int
    percent: float
    wilson: Interval


class FmarReadings(Record):
    """Four accuracies of FMAR; they show the effect of rows that reveal their answer.

    A row leaks if an option carries a class code or a label is listed twice.

    Attributes:
        strict: right is only the gold letter; the same as in `Scores.tasks`.
        by_label: right is every option with the label of the gold option.
        strict_clean, by_label_clean: the same over rows that do not leak; None if all rows leak.
        leaking: number of rows that leak.
    """

    strict: Accuracy
    by_label: Accuracy
    strict_clean: Accuracy | None
    by_label_clean: Accuracy | None
    leaking: int


class LabelMatch(Record):
    """MARE scored by the label that an answer ends in; this needs no judge.

    Attributes:
        fine: share of answers that name the reference's micro-action, over all questions whose
            reference names one.
        coarse: share of answers whose micro-action belongs to the reference's body part.
        unlabelled: number of answers that name no micro-action.
    """

    fine: Accuracy
    coarse: Accuracy
    unlabelled: int


class Average(Record):
    """A plain mean of task accuracies, such as Closed-AVG; every task has the same weight.

    Attributes:
        percent: the mean.
        clustered: bootstrap interval over clips; None for fewer than two clips.
    """

    percent: float
    clustered: Interval | None


class Scores(Record):
    """Everything scored about one set of answers.

    Attributes:
        benchmark: "MA-Bench" if the questions are its 12,000, else "other" (a mini benchmark, a
            sample). Only "MA-Bench" may be compared with the paper's rows.
        questions, clips, with_gold: number of questions, of clips, and of questions with gold.
        tasks: scores per task, in the order of the paper.
        own_tasks: scores of the tasks that MA-Bench does not have; they are in no mean.
        cmar_confusion: confusion of body parts; None without CMAR gold.
        closed_avg: mean of the six closed accuracies; None unless all six tasks have gold.
        chance_avg, majority_avg: the same mean of `chance` and of `majority`.
        judge: name of the judge that `open_avg` and `final` are from: the first LLM judge in
            `judgements` that is complete; None if there is none (a proxy does not count).
        open_avg, final: of this judge.
        fmar: four accuracies of FMAR; None without FMAR gold.
        fmar_confusion: pairs of gold and chosen action that occur.
        by_action: per task and gold action of the clip (from its FMAR question), in code order.
        by_part: per task and gold part of the clip (from its CMAR question), in code order.
        tiers: mean accuracy of a tier's closed tasks; tiers without gold are left out.
        mare_labels: MARE scored by label; None if no MARE reference names an action.
        judgements: one per judge of the run, LLM judges before proxies.
        agreements: one per pair of judges that scored the same answers.
        calibration: of the closed answers; None without scores of their options.
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
    judge: str | None
    open_avg: float | None
    final: float | None
    fmar: FmarReadings | None = None
    fmar_confusion: tuple[LabelConfusion, ...] = ()
    by_action: tuple[Share, ...] = ()
    by_part: tuple[Share, ...] = ()
    tiers: dict[Tier, Average] = Field(default_factory=dict)
    mare_labels: LabelMatch | None = None
    own_tasks: tuple[TaskScore, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    agreements: tuple[JudgeAgreement, ...] = ()
    calibration: Calibration | None = None

    @property
    def has_official(self) -> bool:
        """Whether a question is about one of MA-Bench's tasks; else there is no Table 4."""
        return any(task.asked for task in self.tasks.values())

    @property
    def closed_tasks(self) -> tuple[TaskScore, ...]:
        """Those of `all_tasks` that are answered by a letter, or by Yes or No."""
        return tuple(task for task in self.all_tasks if task.chance is not None)

    @property
    def all_tasks(self) -> tuple[TaskScore, ...]:
        """The scores of all tasks: MA-Bench's, if any is asked, then one's own."""
        return (*(self.tasks.values() if self.has_official else ()), *self.own_tasks)
