"""How near a label is along the neighbour graph."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.core.description import PoolDescription
from ml_backend.core.neighbourhood import STEPS, nearness
from tests.core.random_pools import description, responsibilities, seeds


def random_pool(seed: int, n: int, k: int) -> PoolDescription:
    """Some neighbours are missing, some cosines negative."""
    rng = np.random.default_rng(seed)
    pool = description(responsibilities(rng, n, 4), rng.normal(size=(n, 3)), k=k)
    missing = rng.random(pool.neighbours.shape) < 0.2
    pool.neighbours[missing], pool.similarities[missing] = -1, 0.0
    return pool


@given(seeds, st.integers(4, 8), st.integers(1, 3))
def test_nearness_is_the_best_product_of_cosines_on_a_short_way_to_a_label(seed: int, n: int, k: int) -> None:
    pool = random_pool(seed, n, k)
    labelled = np.random.default_rng(seed).random(n) < 0.3
    best = labelled.astype(float)
    for item, ways in product(range(n), product(range(k), repeat=STEPS)):
        place, cosine = item, 1.0
        for way in ways:
            if (following := int(pool.neighbours[place, way])) < 0:
                break
            cosine *= max(float(pool.similarities[place, way]), 0.0)
            place = following
            if labelled[place]:
                best[item] = max(best[item], cosine)
    np.testing.assert_allclose(nearness(pool, labelled), best, atol=1e-5)


def test_without_labels_or_neighbours_nothing_is_near() -> None:
    pool = random_pool(0, 8, 3)
    assert not nearness(pool, np.zeros(8, bool)).any()
    pool.neighbours[:] = -1
    labelled = np.arange(8) == 2
    np.testing.assert_array_equal(nearness(pool, labelled), labelled.astype(np.float32))
