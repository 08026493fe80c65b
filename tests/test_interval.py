"""Intervals that account for what runs share, against known values and by simulation."""

import numpy as np
import pytest
from scipy import stats

from mixup_lib.evidence.interval import Interval


def test_overlapping_splits_widen_by_a_known_factor():
    values = np.random.default_rng(0).normal(1, 2, 20)
    plain, corrected = Interval.of(values), Interval.resampled(values, train=90, test=10)
    ratio = (corrected.high - corrected.low) / (plain.high - plain.low)
    # Nadeau and Bengio (2003): variance 1 / n + test / train in place of 1 / n.
    assert ratio == pytest.approx(np.sqrt((1 / 20 + 1 / 9) * 20))
    assert corrected.mean == plain.mean and "overlapping" in corrected.over
    half = stats.t.ppf(0.975, 19) * np.sqrt((1 / 20 + 1 / 9) * values.var(ddof=1))
    assert corrected.high - corrected.mean == pytest.approx(half)
    with pytest.raises(ValueError, match="train must be at least 1, got 0"):
        Interval.resampled(values, 0, 10)


def test_a_shared_test_set_adds_its_own_variance():
    values = np.random.default_rng(1).normal(1, 2, 10)
    got = Interval.shared_test(values, (0.1, 0.2), test=500, scale=100)
    drawing = 100**2 * (0.1 * 0.9 + 0.2 * 0.8) / 500
    seeds = values.var(ddof=1) / 10
    df = (seeds + drawing) ** 2 / (seeds**2 / 9)  # Satterthwaite; the drawing's variance is known
    half = stats.t.ppf(0.975, df) * np.sqrt(seeds + drawing)
    assert got.high - got.mean == pytest.approx(half)
    large = Interval.shared_test(values, (0.1, 0.2), test=10**9, scale=100)
    assert large.low == pytest.approx(Interval.of(values).low, abs=1e-3)
    with pytest.raises(ValueError, match="rates must lie"):
        Interval.shared_test(values, (10, 20), 500)
    with pytest.raises(ValueError, match="test must be at least 1"):
        Interval.shared_test(values, (0.1, 0.2), 0)


def outcomes(rng, gain, examples, seeds=5):
    """Errors of two methods: hard examples are hard for both, and the second errs less."""
    hard = rng.random(examples) ** 3
    first = rng.random((seeds, examples)) < hard
    second = rng.random((seeds, examples)) < hard * (1 - gain)
    return first, second


def test_outcomes_cover_new_test_sets():
    rng = np.random.default_rng(2)
    true = 100 * 0.3 * 0.25  # a quarter of the examples are missed on average
    inside, seeds_only = [], []
    for _ in range(300):
        first, second = outcomes(rng, 0.3, 200)
        got = Interval.of_outcomes(first, second, scale=100)
        inside.append(got.low <= true <= got.high)
        alone = Interval.of(100 * (first.mean(1) - second.mean(1)))
        seeds_only.append(alone.low <= true <= alone.high)
    assert np.mean(inside) >= 0.95 > np.mean(seeds_only) - 0.02


def test_the_variance_over_examples_is_what_a_bootstrap_gives():
    rng = np.random.default_rng(3)
    first, second = outcomes(rng, 0.3, 300)
    got = Interval.of_outcomes(first, second)
    gaps = (first.astype(float) - second).mean(0)
    resampled = rng.choice(gaps, (4000, gaps.size)).mean(1).var()
    seeds = (first.mean(1) - second.mean(1)).var(ddof=1) / 5
    error = (got.high - got.mean) / stats.t.ppf(0.975, got.df)
    assert error**2 - seeds == pytest.approx(resampled, rel=0.1)


def test_outcomes_are_narrower_than_the_bound_without_them():
    first, second = outcomes(np.random.default_rng(4), 0.3, 300)
    known = Interval.of_outcomes(first, second)
    rates = first.mean(), second.mean()
    bound = Interval.shared_test(first.mean(1) - second.mean(1), rates, 300)
    assert known.mean == pytest.approx(bound.mean) and known.high < bound.high


def test_outcomes_must_match():
    with pytest.raises(ValueError, match=r"\(S, N\) alike, got \(5, 3\) and \(5, 4\)"):
        Interval.of_outcomes(np.ones((5, 3)), np.ones((5, 4)))
    with pytest.raises(ValueError, match="at least 5"):
        Interval.of_outcomes(np.ones((4, 3)), np.zeros((4, 3)))


def test_units_keep_what_is_accounted_for():
    got = 100 * Interval.resampled(range(5), 9, 1)
    assert got.over == "seeds, overlapping splits" and Interval.of(range(5)).over == "seeds"
