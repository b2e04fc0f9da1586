"""Intervals against the closed form, against SciPy's bootstrap, and against simulated truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fmau.score.intervals import clustered_means, mean_interval, percentile_interval, wilson


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_wilson_is_the_closed_form(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 3000))
    correct = data.draw(st.integers(0, total))
    z, p = stats.norm.ppf(0.975), correct / total
    centre = (p + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    found = wilson(correct, total)
    assert found.low == pytest.approx(100 * (centre - half), abs=1e-9)
    assert found.high == pytest.approx(100 * (centre + half), abs=1e-9)


def test_half_width_at_the_size_of_ma_bench() -> None:
    cmar, mas = wilson(500, 1000), wilson(1000, 2000)
    assert (cmar.high - cmar.low) / 2 == pytest.approx(3.1, abs=0.05)
    assert (mas.high - mas.low) / 2 == pytest.approx(2.2, abs=0.05)


def test_the_bootstrap_agrees_with_scipy() -> None:
    generator = np.random.default_rng(0)
    correct_C = generator.binomial(4, generator.beta(1, 1, size=150)).astype(float)
    total_C = np.full(150, 4)
    draws = clustered_means(correct_C[:, None], total_C[:, None])
    found = percentile_interval(100 * draws[:, 0])
    theirs = stats.bootstrap(
        (100 * correct_C / 4,), np.mean, method="percentile", n_resamples=4000, rng=1
    ).confidence_interval
    assert found.low == pytest.approx(theirs.low, abs=0.5)
    assert found.high == pytest.approx(theirs.high, abs=0.5)


def test_columns_share_their_resamples() -> None:
    correct_C = np.random.default_rng(0).integers(0, 3, size=30).astype(float)
    draws = clustered_means(np.stack([correct_C, correct_C], axis=1), np.full((30, 2), 2))
    assert np.array_equal(draws[:, 0], draws[:, 1])


def test_clips_that_all_do_the_same_leave_no_doubt_between_clips() -> None:
    # One of two right in every clip: resampling clips always gives 50 %.
    draws = clustered_means(np.full((20, 1), 1), np.full((20, 1), 2))
    assert set(draws[:, 0]) == {0.5}


def test_one_clip_has_no_clustered_interval() -> None:
    assert clustered_means(np.array([[1]]), np.array([[2]])) is None


def test_draws_without_a_question_of_the_column_are_left_out() -> None:
    total = np.array([[1], [1], [0]])
    interval = percentile_interval(clustered_means(np.array([[1], [0], [0]]), total)[:, 0])
    assert (interval.low, interval.high) == (0, 1)


@pytest.mark.slow
def test_clustered_intervals_cover_the_truth_where_naive_ones_do_not() -> None:
    """Clips differ in difficulty: 150 clips of 8 questions, success rates Beta(1, 1), mean 50 %."""
    generator = np.random.default_rng(7)
    trials, clips, per_clip = 400, 150, 8
    covered = naive = 0
    for _ in range(trials):
        quality_C = generator.beta(1, 1, size=clips)
        correct_C = generator.binomial(per_clip, quality_C).astype(float)
        draws = clustered_means(correct_C[:, None], np.full((clips, 1), per_clip), draws=1000)
        interval = percentile_interval(100 * draws[:, 0])
        covered += interval.low <= 50 <= interval.high
        plain = wilson(int(correct_C.sum()), clips * per_clip)
        naive += plain.low <= 50 <= plain.high
    assert 0.92 <= covered / trials <= 0.98
    assert naive / trials < 0.85


@pytest.mark.parametrize("quality", [0.0, 0.002, 0.02, 0.98, 0.998, 1.0])
def test_intervals_near_0_and_100_cover_the_truth(quality: float) -> None:
    """60 clips of 3 questions that are all right or all wrong together, as hard as it gets."""
    generator = np.random.default_rng(11)
    clips, trials = 60, 300
    covered = 0
    for _ in range(trials):
        right_C = 3.0 * generator.binomial(1, quality, size=clips).astype(np.float64)
        draws = clustered_means(right_C[:, None], np.full((clips, 1), 3), draws=400)
        found = mean_interval(draws[:, 0], right_C.sum() / clips / 3, clips)
        covered += found.low - 1e-9 <= 100 * quality <= found.high + 1e-9
    # At 2 % the bootstrap misses somewhat more than 5 %: few draws hold no right answer.
    assert covered / trials >= 0.85
    if quality in (0.0, 0.002, 0.998, 1.0):
        assert covered / trials >= 0.95


def test_all_right_leaves_as_much_doubt_as_one_question_a_clip() -> None:
    draws = clustered_means(np.full((100, 1), 3.0), np.full((100, 1), 3))
    assert mean_interval(draws[:, 0], 1.0, 100) == wilson(100, 100)
    assert wilson(100, 100).low == pytest.approx(96.3, abs=0.05)
