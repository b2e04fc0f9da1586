"""Tests of paired differences, for `compare.py`.

Axis suffix: C clips.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from fmau.score.comparison import Difference
from fmau.score.intervals import SEED, Interval, wilson

FLIPS = 9999
"""Number of random sign flips; the smallest p value they can give is 1 in 10,000."""

POWER_FACTOR = float(stats.norm.ppf(0.975) + stats.norm.ppf(0.80))
"""A true difference of this many standard errors is detected in 80 % of samples (5 % level)."""

ROUNDED = 9
"""Decimals of a sum of differences. Sums that are equal but for the order of their terms must be
equal here too, or ties with the observed sum are lost."""


def mcnemar_p(gained: int, lost: int) -> float:
    """Exact p of McNemar's test (Q. McNemar, Psychometrika 12 (1947) 153-157)."""
    return float(mcnemar([[0, gained], [lost, 0]], exact=True).pvalue)


def sign_flips_p(change_C: NDArray[np.float64]) -> float:
    """p value of a sign-flip permutation test on the clips' differences; 1 if fewer than two clips
    differ, because a single difference is as extreme as its negative."""
    changed = change_C[change_C != 0]
    if len(changed) < 2:
        return 1.0
    found = stats.permutation_test(
        (changed,),
        lambda values, axis: values.sum(axis=axis).round(ROUNDED),
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        rng=np.random.default_rng(SEED),
        batch=500,
    )
    return float(found.pvalue)


def holm(differences: Sequence[Difference]) -> list[Difference]:
    """Fill in `p_holm`, by Holm's method (S. Holm, Scand. J. Stat. 6 (1979) 65-70)."""
    known = [item.p for item in differences if item.p is not None]
    if not known:
        return list(differences)
    adjusted = iter(multipletests(known, method="holm")[1])
    return [
        item if item.p is None else item.model_copy(update={"p_holm": float(next(adjusted))})
        for item in differences
    ]


def interval_of_alike(change: float, top: float, clips: int) -> Interval:
    """The interval of a difference that is the same in every clip, where a bootstrap shows nothing.

    As many clips as Wilson's interval allows for none seen may differ, by up to `top`.
    """
    half = top * wilson(0, clips).high / 100
    return Interval(low=max(-top, change - half), high=min(top, change + half))
