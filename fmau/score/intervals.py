"""Confidence intervals of shares and means: Wilson's, and a bootstrap that resamples whole clips.

All other modules of `fmau.score` take their intervals from here.

Axis suffixes: C clips, K columns (tasks), B bootstrap draws.
"""

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from fmau.core.records import Record

DRAWS = 4000
SEED = 52
TAIL_PERCENT = 2.5

TINY = 1e-9
"""Draws that differ by less, in percent, are equal; rounding makes the difference."""


class Interval(Record):
    """A 95 % confidence interval, in the unit of the value it belongs to."""

    low: float
    high: float


def wilson(correct: float, total: int) -> Interval:
    """Wilson's 95 % score interval of the share `correct` / `total`, in percent.

    Unlike the normal approximation it stays within 0 to 100, and its width is not 0 at 0 and 100.
    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212; `total` must be positive.
    """
    low, high = proportion_confint(correct, total, alpha=0.05, method="wilson")
    return Interval(low=100 * float(low), high=100 * float(high))


def mean_interval(draws_B: NDArray[np.float64], share: float, clips: int) -> Interval:
    """The 95 % interval over clips of a mean between 0 and 1, in percent.

    It is the percentile interval of the bootstrap draws. If all draws are equal, as they are where
    every answer is right, the bootstrap says nothing about what other clips would give. Then it is
    Wilson's interval of this share in as many questions as there are clips, which allows for
    answers that are always right or wrong together within a clip, and for any values between 0
    and 1, because none vary more than values of 0 and 1.

    Args:
        draws_B: the mean in every bootstrap draw, 0 to 1.
        share: the mean, 0 to 1.
        clips: number of clips.
    """
    interval = percentile_interval(100 * draws_B)
    if interval.high - interval.low > TINY:
        return interval
    return wilson(share * clips, clips)


def clustered_means(
    sum_CK: NDArray[np.float64], count_CK: NDArray[np.float64], draws: int = DRAWS
) -> NDArray[np.float64] | None:
    """The mean of each column, recomputed on `draws` bootstrap resamples of the clips.

    A resample draws C clips with replacement and takes all questions of each clip, so that the
    correlation within a clip is kept. All columns use the same resamples, so means over columns get
    correct intervals too. The seed is fixed: the same answers give the same interval, and two runs
    over the same clips get the same resamples, so that their difference is paired.

    Args:
        sum_CK: number of right answers, or sum of points, per clip and column.
        count_CK: number of questions that count, per clip and column.

    Returns:
        mean_BK, NaN where a resample has no question of a column; None if C < 2, because
        resampling one clip shows no variation.
    """
    clips = len(sum_CK)
    if clips < 2:
        return None
    generator = np.random.default_rng(SEED)
    # A resample is fully described by how often each clip is drawn.
    picked_BC = generator.multinomial(clips, np.full(clips, 1 / clips), size=draws)
    weights_BC = picked_BC.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray((weights_BC @ sum_CK) / (weights_BC @ count_CK))


def percentile_interval(value_B: NDArray[np.float64]) -> Interval:
    """The interval that holds the middle 95 % of the bootstrap draws; NaN draws are left out.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
    """
    low, high = np.nanpercentile(value_B, [TAIL_PERCENT, 100 - TAIL_PERCENT])
    return Interval(low=float(low), high=float(high))
