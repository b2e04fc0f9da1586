"""Judge levels of open answers: the records of `scores.json` about judges, and their scores.

A judge may score an answer several times; these samples are reduced to their median.
"""

from collections.abc import Iterable, Mapping
from statistics import median

from pydantic import Field

from fmau.core.records import Record, Verdict
from fmau.core.taxonomy import Task
from fmau.score.intervals import Interval

Levels = tuple[float, float, float]
"""Mean judge scores of an open task at L1, L2 and L3, each 0 to 5."""


class LevelScore(Record):
    """One level of one open task, as one judge scored it.

    Attributes:
        level: 1, 2 or 3.
        mean: mean score, 0 to 5; None if nothing is scored. A question that the model gave no
            answer to counts as 0, because the rubric scores an empty answer 0.
        clustered: bootstrap interval of the mean over clips, 0 to 5; None for fewer than two clips.
        naive: mean +- 1.96 standard errors, as if all answers were independent.
        floor: the mean if every unscored answer had 0: a lower bound despite failures of the judge.
        scored: number of answers with a score.
        no_answer: number of questions that the model gave no answer to; they count as 0.
        unscored: number of answers without a score because the judge failed; left out of the mean.
        histogram: number of answers per score 0..5; medians over samples are rounded down.
        spread: highest minus lowest sample, averaged over answers; None if every answer has one
            sample only.
    """

    level: int
    mean: float | None
    clustered: Interval | None
    naive: Interval | None
    floor: float | None
    scored: int
    no_answer: int
    unscored: int
    histogram: tuple[int, int, int, int, int, int]
    spread: float | None

    @property
    def asked(self) -> int:
        """Number of questions with a reference."""
        return self.scored + self.no_answer + self.unscored


class Judgement(Record):
    """The scores that one judge gave a run's open answers.

    Attributes:
        judge: the judge's name.
        proxy: the judge is the embedded rule, not an LLM. A proxy is never in Table 4, has no
            Final, and is called a proxy wherever it is shown.
        tasks: MADU and MARE -> their three levels.
        own_tasks: name of an open task that MA-Bench does not have -> its three levels, of as many
            answers as they say; `answers` to `final` are about MADU and MARE alone.
        answers: number of open answers that have a reference, so that they can be scored.
        scored: how many of them have a score at every level.
        complete: the judge has replied about each of them at every level; a reply without a score
            (unparsed, refused, ...) is one.
        open_avg: plain mean of the six levels; None unless `complete`.
        open_avg_clustered: bootstrap interval of `open_avg` over clips.
        final: mean of the six accuracies and of the six levels x 20; None for a proxy, unless
            `complete`, or if an accuracy is not known.
        unscored: reason -> number of calls of the judge that gave no score.
        removed: number of answers from which passages addressed to the judge were removed before
            judging.
    """

    judge: str
    proxy: bool
    tasks: dict[Task, tuple[LevelScore, LevelScore, LevelScore]]
    answers: int
    scored: int
    complete: bool
    open_avg: float | None
    open_avg_clustered: Interval | None
    final: float | None
    unscored: dict[str, int]
    removed: int
    own_tasks: dict[str, tuple[LevelScore, LevelScore, LevelScore]] = Field(default_factory=dict)

    @property
    def coverage(self) -> str | None:
        """How many answers the scores are of, for people; None if they are of all."""
        if self.scored == self.answers:
            return None
        return f"{self.scored:,} of {self.answers:,} answers scored"

    @property
    def levels(self) -> list[tuple[str, LevelScore]]:
        """Each level of each open task, with its name ("MADU L1"). MADU and MARE are left out if
        only tasks of one's own were asked."""
        of_task: dict[str, tuple[LevelScore, ...]] = {}
        if not self.own_tasks or any(
            level.asked for found in self.tasks.values() for level in found
        ):
            of_task |= {str(task): found for task, found in self.tasks.items()}
        return [
            (f"{task} L{level.level}", level)
            for task, found in (of_task | self.own_tasks).items()
            for level in found
        ]

    @property
    def means(self) -> "dict[Task, Levels]":
        """Task -> its three mean levels; only tasks for which all three are known."""
        means: dict[Task, Levels] = {}
        for task, (first, second, third) in self.tasks.items():
            if first.mean is not None and second.mean is not None and third.mean is not None:
                means[task] = (first.mean, second.mean, third.mean)
        return means


class JudgeAgreement(Record):
    """Agreement of two judges, or a judge and people, on the same answers; all levels together.

    Attributes:
        first, second: names of the two.
        pairs: number of (answer, level) pairs that both scored.
        kappa: quadratic-weighted kappa (J. Cohen, Psychol. Bull. 70 (1968) 213-220) of scores
            rounded down; None if all scores are equal.
        interval: 95 % bootstrap interval of kappa over answers; None for fewer than two answers.
        alpha: Krippendorff's alpha for ordinal scores; None if all scores are equal.
        exact, within_one: shares of pairs, 0 to 1, that are equal, or at most one apart.
        bias: mean of (second's score - first's score).
    """

    first: str
    second: str
    pairs: int
    kappa: float | None
    interval: Interval | None
    alpha: float | None
    exact: float
    within_one: float
    bias: float


def median_score(rows: Iterable[Verdict], level: int) -> float | None:
    """The score of an answer at a level: the median of one judge's samples; None if unscored.

    Args:
        rows: one judge's verdicts on this answer.
    """
    scores = [row.scores[level] for row in rows if row.scores and level in row.scores]
    return float(median(scores)) if scores else None


JudgeScores = Mapping[str, Mapping[int, float | None]]
"""qid -> level -> score 0 to 5; None or missing if the judge gave no score."""


def by_answer(rows: Iterable[Verdict]) -> dict[str, list[Verdict]]:
    """qid -> the verdicts on its answer, in the order given."""
    of_answer: dict[str, list[Verdict]] = {}
    for row in rows:
        of_answer.setdefault(row.qid, []).append(row)
    return of_answer


def scores_of(rows: Iterable[Verdict]) -> dict[str, dict[int, float | None]]:
    """qid -> level -> median over the scored samples; None if there is no scored sample.

    Args:
        rows: the verdicts of one judge.
    """
    return {
        qid: {level: median_score(found, level) for row in found for level in row.levels}
        for qid, found in by_answer(rows).items()
    }
