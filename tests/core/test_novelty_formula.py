"""The novelty score item by item: three normal scores, judged among items as noisy, plus what lies outside."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from ml_backend.core.novelty import NoveltyReference, NoveltyTraits, far_distance
from tests.core.random_pools import seeds


def random_traits(rng: np.random.Generator, n: int, scale: float = 1.0) -> NoveltyTraits:
    """scale: above 1, some lie beyond all of the pool."""
    distance, around = scale * rng.random((2, n)), 0.01 + rng.random(n)
    parts = (distance[0], around, scale * rng.normal(size=n), scale * rng.gamma(2.0, size=n), 0.1 + rng.random(n))
    return NoveltyTraits(*(part.astype(np.float32) for part in parts))


def normal_score(pool: NDArray[np.floating], value: float) -> float:
    """Normal quantile of the middle rank, and beyond the largest a distance in units of largest - median."""
    n, ordered = len(pool), np.sort(pool)
    rank = (np.sum(pool < value) + np.sum(pool <= value)) / 2
    quantile = float(norm.ppf(min(max(rank / n, 0.5 / n), 1 - 0.5 / n)))
    return quantile + max(value - float(ordered[-1]), 0.0) / float(ordered[-1] - ordered[n // 2])


def strangeness(pool: NoveltyTraits, items: NoveltyTraits) -> NDArray[np.float64]:
    """Distance, half of the distance relative to the neighbours' own, a quarter of - log density."""
    of_pool, of_items = ([t.distance, t.distance / t.around, -t.log_density] for t in (pool, items))
    found = np.zeros(len(items.distance))
    for weight, among, values in zip((1.0, 0.5, 0.25), of_pool, of_items, strict=True):
        found += weight * np.array([normal_score(among, v) for v in values])
    return found


@given(seeds, st.integers(20, 120))
def test_the_score_is_the_weighted_sum_among_items_as_noisy_and_four_times_what_lies_far_outside(
    seed: int, n: int
) -> None:
    """In a pool below 200 items all are as noisy: the score counts from their median up to the 95th percentile."""
    rng = np.random.default_rng(seed)
    pool, new = random_traits(rng, n), random_traits(rng, 9, scale=1.5)
    middle, high = np.quantile(strangeness(pool, pool), [0.5, 0.95])
    usual, most = np.quantile(pool.outside, [0.5, 0.95])
    alien = np.maximum((new.outside - usual) / (most - usual) - 2.0, 0.0)
    expected = (strangeness(pool, new) - middle) / (high - middle) + 4.0 * alien
    np.testing.assert_allclose(NoveltyReference.fit(pool).score(new), expected, rtol=2e-3, atol=2e-3)


@given(seeds, st.integers(1, 30))
def test_the_nearest_three_tenths_of_the_neighbours_do_not_count(seed: int, k: int) -> None:
    cosines = -np.sort(-np.random.default_rng(seed).random((4, k)), axis=1).astype(np.float32)
    far = [row[int(0.3 * k + 1e-9) :] for row in cosines]
    np.testing.assert_allclose(far_distance(cosines), [1.0 - part.mean() for part in far], atol=1e-6)
