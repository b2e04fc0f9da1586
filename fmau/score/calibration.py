"""Calibration: whether a model's confidence in its closed answers is as high as its accuracy.

The confidence in an answer is its share of the probability of the question's options: the softmax
of the scores that `answer.option_scores` records.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fmau.core.records import Answer, QuestionFile, Record

BINS = 10
"""Bins of a reliability diagram, fewer for fewer questions."""


class Bin(Record):
    """Questions of similar confidence.

    Attributes:
        questions: their number.
        confidence: mean confidence in the answer, in percent.
        accuracy: share of right answers, in percent.
    """

    questions: int
    confidence: float
    accuracy: float


class Calibration(Record):
    """How far the confidence of a run's closed answers can be trusted.

    Attributes:
        questions: closed questions with gold whose answer has scores.
        bins: by confidence, from low to high, with equally many questions each.
        ece: expected calibration error: the mean over all questions of the distance between their
            bin's confidence and accuracy, in percent; 0 is best. With few questions a bin it is
            too high by chance. Equal-mass bins: J. Nixon et al., CVPR Workshops (2019).
        brier: mean of the sum over options of (probability - 1 for the right one, else 0) squared;
            0 is best, 2 is worst. G. W. Brier, Monthly Weather Review 78 (1950) 1-3.
        right, wrong: mean confidence in right and in wrong answers, in percent; None without any.
        outside: mean probability of replies that begin with no option, in percent.
    """

    questions: int
    bins: tuple[Bin, ...]
    ece: float
    brier: float
    right: float | None
    wrong: float | None
    outside: float


def calibration(questions: QuestionFile, answers: Mapping[str, Answer]) -> Calibration | None:
    """The calibration of a run's closed answers; None if none of them has gold and scores."""
    confidence, right, brier, outside = [], [], [], []
    for question in questions.questions:
        row, gold = answers.get(question.qid), questions.gold.get(question.qid)
        if row is None or gold is None or row.answer is None or not row.option_scores:
            continue
        raw = np.exp(list(row.option_scores.values()))
        shares = dict(zip(row.option_scores, raw / raw.sum(), strict=True))
        confidence.append(shares[row.answer])
        right.append(row.answer == gold)
        brier.append(sum((share - (one == gold)) ** 2 for one, share in shares.items()))
        outside.append(max(0.0, 1 - raw.sum()))
    if not confidence:
        return None
    confidence_N, right_N = np.array(confidence), np.array(right)
    bins = _bins(confidence_N, right_N)
    return Calibration(
        questions=len(confidence),
        bins=bins,
        ece=sum(one.questions * abs(one.confidence - one.accuracy) for one in bins)
        / len(confidence),
        brier=float(np.mean(brier)),
        right=_percent(confidence_N[right_N]),
        wrong=_percent(confidence_N[~right_N]),
        outside=100 * float(np.mean(outside)),
    )


def _bins(confidence_N: NDArray[np.float64], right_N: NDArray[np.bool_]) -> tuple[Bin, ...]:
    order = np.argsort(confidence_N, kind="stable")
    groups = np.array_split(order, min(BINS, len(order)))
    return tuple(
        Bin(
            questions=len(group),
            confidence=100 * float(confidence_N[group].mean()),
            accuracy=100 * float(right_N[group].mean()),
        )
        for group in groups
    )


def _percent(confidence_N: NDArray[np.float64]) -> float | None:
    return 100 * float(confidence_N.mean()) if len(confidence_N) else None
