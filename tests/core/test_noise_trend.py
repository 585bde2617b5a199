"""Noise is not novelty: a score is judged among items with the same noise around them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.noise_trend import NoiseTrend, noise_around
from tests.core.random_pools import seeds


def noisy_pool(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sigma of two kinds of items, and scores that are higher and wider for the noisy kind."""
    random = np.random.default_rng(seed)
    sigma = np.where(np.arange(n) % 2, 0.5, 0.1) * random.uniform(0.98, 1.02, n)
    return sigma, random.standard_normal(n) * np.where(sigma > 0.3, 3.0, 1.0) + np.where(sigma > 0.3, 5.0, 0.0)


def test_noisy_items_no_longer_rank_above_clean_ones() -> None:
    sigma, scores = noisy_pool(2000, 0)
    trend = NoiseTrend.fit(sigma, scores)
    new_sigma, new_scores = noisy_pool(1000, 1)
    without = trend.without(new_sigma, new_scores)
    noisy = new_sigma > 0.3
    assert np.mean(new_scores[noisy][:, None] > new_scores[~noisy]) > 0.9
    assert np.mean(without[noisy][:, None] > without[~noisy]) == pytest.approx(0.5, abs=0.05)


def test_among_items_with_the_same_noise_the_order_stays() -> None:
    sigma, scores = noisy_pool(2000, 0)
    trend = NoiseTrend.fit(sigma, scores)
    rising = np.linspace(-3, 9, 50)
    assert np.all(np.diff(trend.without(np.full(50, 0.5), rising)) > 0)


def test_an_empty_pool_leaves_scores_as_they_are() -> None:
    nothing = np.empty(0)
    np.testing.assert_array_equal(NoiseTrend.fit(nothing, nothing).without(np.ones(2), np.array([1.0, 2.0])), [1, 2])


def test_noise_around_an_item_is_the_least_of_its_real_neighbours() -> None:
    sigma = np.array([1.0, 2.0, 6.0], np.float32)
    neighbours = np.array([[1, 2], [0, -1], [-1, -1]], np.int32)
    np.testing.assert_allclose(noise_around(sigma, neighbours), [2.0, 1.0, 2.0])
    np.testing.assert_allclose(noise_around(sigma, neighbours[:, :0]), [2.0, 2.0, 2.0])


@given(seeds, st.integers(2, 199), st.floats(0.1, 50))
def test_in_a_small_pool_scores_are_counted_from_the_median_in_units_up_to_the_95th_percentile(
    seed: int, n: int, unit: float
) -> None:
    random = np.random.default_rng(seed)
    sigma, scores = random.uniform(0.1, 2.0, n), unit * random.standard_normal(n)
    middle, high = np.quantile(scores, [0.5, 0.95])
    found = NoiseTrend.fit(sigma, scores).without(random.uniform(0.01, 9.0, 7), scores[:1] + np.arange(7.0))
    np.testing.assert_allclose(found, (scores[0] + np.arange(7.0) - middle) / (high - middle), rtol=1e-9)


def test_at_each_noise_the_median_reads_0_and_the_95th_percentile_1() -> None:
    sigma, scores = noisy_pool(4000, 0)
    without = NoiseTrend.fit(sigma, scores).without(sigma, scores)
    for kind in (sigma > 0.3, sigma < 0.3):
        assert np.quantile(without[kind], [0.5, 0.95]) == pytest.approx([0.0, 1.0], abs=0.06)


def test_new_items_as_ordinary_are_flagged_as_seldom_where_scores_spread_wide_as_where_they_do_not() -> None:
    trend = NoiseTrend.fit(*noisy_pool(4000, 0))
    sigma, scores = noisy_pool(8000, 1)
    flagged = trend.without(sigma, scores) > 1.0
    for kind in (sigma > 0.3, sigma < 0.3):
        assert np.mean(flagged[kind]) == pytest.approx(0.05, abs=0.015)


def test_between_two_noises_median_and_spread_are_read_off_the_line_between_them() -> None:
    trend = NoiseTrend(np.log([0.1, 10.0]), np.array([2.0, 4.0]), np.array([1.0, 3.0]))
    sigma = np.array([0.01, 0.1, 1.0, 10.0, 100.0])
    np.testing.assert_allclose(trend.without(sigma, np.full(5, 7.0)), [5.0, 5.0, 2.0, 1.0, 1.0])
