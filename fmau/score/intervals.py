"""How sure a share is: Wilson's interval, and a bootstrap that resamples whole clips.

Axis suffixes: C clips, K columns (tasks), B bootstrap draws.
"""

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from fmau.core.records import Record

DRAWS = 4000
SEED = 52
TAIL_PERCENT = 2.5


class Interval(Record):
    """A 95 % confidence interval, in the unit of the value it belongs to."""

    low: float
    high: float


def wilson(correct: int, total: int) -> Interval:
    """Wilson's 95 % score interval of `correct` of `total`, in percent.

    Unlike the normal approximation it stays inside 0 to 100 and has width at 0 and 100.
    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212; `total` must be positive.
    """
    low, high = proportion_confint(correct, total, alpha=0.05, method="wilson")
    return Interval(low=100 * float(low), high=100 * float(high))


def clustered_means(
    sum_CK: NDArray[np.float64], count_CK: NDArray[np.float64], draws: int = DRAWS
) -> NDArray[np.float64] | None:
    """The mean per column, recomputed on `draws` resamples of the clips.

    A resample picks C clips with replacement and takes all questions of a picked clip, so whatever
    correlation there is within a clip is kept. All columns share one resample, so means across
    columns have honest intervals too. The seed is fixed: same answers, same interval; and two runs
    over the same clips are drawn alike, so that their differences are paired.

    Args:
        sum_CK: right answers, or points, per clip and column.
        count_CK: questions that count, per clip and column.

    Returns:
        mean_BK, NaN where a resample holds no question of a column; None if C < 2, where
        resampling says nothing.
    """
    clips = len(sum_CK)
    if clips < 2:
        return None
    generator = np.random.default_rng(SEED)
    # How often each clip is picked says all there is to know about a resample.
    picked_BC = generator.multinomial(clips, np.full(clips, 1 / clips), size=draws)
    weights_BC = picked_BC.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray((weights_BC @ sum_CK) / (weights_BC @ count_CK))


def percentile_interval(value_B: NDArray[np.float64]) -> Interval:
    """The middle 95 % of bootstrap draws, NaN draws left out.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
    """
    low, high = np.nanpercentile(value_B, [TAIL_PERCENT, 100 - TAIL_PERCENT])
    return Interval(low=float(low), high=float(high))
