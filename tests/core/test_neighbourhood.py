"""How near a label is along the neighbour graph."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.neighbourhood import NO_ROW, STEPS, LabelWays
from tests.core.random_pools import description, responsibilities, seeds


def random_pool(seed: int, n: int, k: int) -> PoolDescription:
    """Some neighbours are missing, some cosines negative."""
    rng = np.random.default_rng(seed)
    pool = description(responsibilities(rng, n, 4), rng.normal(size=(n, 3)), k=k)
    missing = rng.random(pool.neighbours.shape) < 0.2
    pool.neighbours[missing], pool.similarities[missing] = -1, 0.0
    return pool


def best_ways(pool: PoolDescription, labelled: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N, N) by brute force: the best product of cosines on a way of 1 to STEPS steps from an item to a label."""
    n, k = pool.neighbours.shape
    best = np.zeros((n, n))
    for item, ways in product(range(n), product(range(k), repeat=STEPS)):
        place, cosine = item, 1.0
        for way in ways:
            if (following := int(pool.neighbours[place, way])) < 0:
                break
            cosine *= max(float(pool.similarities[place, way]), 0.0)
            place = following
            if labelled[place]:
                best[item, place] = max(best[item, place], cosine)
    return best


@given(seeds, st.integers(4, 8), st.integers(1, 3))
def test_the_nearest_label_is_the_end_of_the_best_way_and_never_the_item_itself(seed: int, n: int, k: int) -> None:
    pool = random_pool(seed, n, k)
    labelled = np.random.default_rng(seed).random(n) < 0.5
    ways = LabelWays.of(pool, np.flatnonzero(labelled))
    to_any, to_others = ways.nearest(pool), ways.nearest(pool, np.arange(n))
    best = best_ways(pool, labelled)
    np.testing.assert_allclose(to_any.closeness, best.max(axis=1), atol=1e-5)
    np.fill_diagonal(best, 0.0)
    np.testing.assert_allclose(to_others.closeness, best.max(axis=1), atol=1e-5)
    found = to_others.row != NO_ROW
    np.testing.assert_allclose(best[found, to_others.row[found]], to_others.closeness[found], atol=1e-5)


def test_without_labels_or_neighbours_nothing_is_near() -> None:
    pool = random_pool(0, 8, 3)
    none = np.empty(0, np.int64)
    assert not LabelWays.of(pool, none).nearest(pool).closeness.any()
    pool.neighbours[:] = -1
    nearest = LabelWays.of(pool, np.array([2])).nearest(pool)
    assert not nearest.closeness.any()
    assert (nearest.row == NO_ROW).all()
