"""How near a label is along the neighbour graph."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core import neighbourhood
from ml_backend.core.description import PoolDescription
from ml_backend.core.neighbourhood import NO_ROW, STEPS, LabelWays, NearestLabels, PoolWays
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


def test_without_neighbours_to_look_at_nothing_is_near() -> None:
    pool = random_pool(0, 6, 3)
    pool = replace(pool, neighbours=pool.neighbours[:, :0], similarities=pool.similarities[:, :0])
    rows = np.array([1, 4])
    nearest = LabelWays.of(pool, rows).nearest(pool, np.arange(6))
    assert_equal(nearest, NearestLabels.none(6))


@given(seeds, st.integers(4, 30), st.integers(1, 4), st.integers(1, 7))
def test_some_items_at_a_time_find_what_all_find_in_one_go(seed: int, n: int, k: int, chunk: int) -> None:
    rng = np.random.default_rng(seed)
    pool, labelled = random_pool(seed, n, k), np.flatnonzero(rng.random(n) < 0.4)
    everything = LabelWays.of(pool, labelled).nearest(pool, np.arange(n))
    some = rng.permutation(n)[: rng.integers(0, n + 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbourhood, "CHUNK", chunk)
        ways = LabelWays.of(pool, labelled)
        in_parts, of_some = ways.nearest(pool, np.arange(n)), ways.nearest(pool.take(some), some)
    assert_equal(in_parts, everything)
    assert_equal(of_some, NearestLabels(everything.row[some], everything.closeness[some]))


@given(seeds, st.integers(4, 20))
def test_of_labels_equally_near_it_is_always_the_same(seed: int, n: int) -> None:
    """All cosines are alike: nothing but the order of neighbours decides, not that of the labels."""
    rng = np.random.default_rng(seed)
    pool, rows = random_pool(seed, n, 3), rng.permutation(n)[: n // 2]
    pool.similarities[:] = np.where(pool.neighbours >= 0, 0.5, 0.0)
    one = LabelWays.of(pool, rows).nearest(pool, np.arange(n))
    assert_equal(LabelWays.of(pool, np.sort(rows)).nearest(pool, np.arange(n)), one)
    labelled = np.isin(pool.neighbours, rows)
    direct = np.flatnonzero(labelled.any(axis=1))
    first = labelled[direct].argmax(axis=1)
    np.testing.assert_array_equal(one.row[direct], pool.neighbours[direct, first])


def copies(sizes: tuple[int, ...], k: int = 3) -> PoolDescription:
    """Groups of copies; all of a group list the same k of it, the first ones, as an exact search does."""
    group = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
    n, first = sum(sizes), np.repeat(np.cumsum((0, *sizes[:-1])), sizes)
    pool = description(
        responsibilities(np.random.default_rng(0), n, 4), np.random.default_rng(0).normal(size=(n, 3)), k=k
    )
    near = first[:, None] + np.arange(k + 1)
    near = np.array([row[row != item][:k] for item, row in enumerate(near)])
    same = np.full((n, k), 1 - 1e-7, np.float32)
    return replace(pool, neighbours=near.astype(np.int32), similarities=same, copies=group)


def test_where_copies_are_not_known_each_item_is_on_a_place_of_its_own() -> None:
    pool = copies((40, 5, 60))
    np.testing.assert_array_equal(pool.places, np.repeat([0, 1, 2], [40, 5, 60]))
    np.testing.assert_array_equal(pool.take(np.array([104, 0, 41])).places, [2, 0, 1])
    assert len(set(replace(pool, copies=None).places)) == 105


def test_a_label_on_one_copy_is_next_to_all_though_it_is_nobodys_neighbour() -> None:
    pool, last = copies((40, 60)), np.array([39])
    assert 39 not in pool.neighbours
    nearest = LabelWays.of(pool, last).nearest(pool, np.arange(100))
    np.testing.assert_array_equal(nearest.row[:39], 39)
    np.testing.assert_allclose(nearest.closeness[:39], 1.0, atol=1e-6)
    assert not nearest.closeness[39:].any()


def test_a_labelled_copy_is_nearest_to_another_one_and_never_to_itself() -> None:
    pool, rows = copies((40, 60)), np.array([39, 17, 28, 80])
    nearest = LabelWays.of(pool, rows).nearest(pool, np.arange(100))
    for row in (17, 28, 39):
        assert nearest.row[row] in {17, 28, 39} - {row}
        assert nearest.closeness[row] > 0.999
    assert nearest.row[80] == NO_ROW


def test_ways_to_the_same_rows_are_made_once() -> None:
    pool = random_pool(0, 12, 3)
    ways = PoolWays(pool)
    first = ways.to(np.array([2, 5, 9]))
    assert ways.to(np.array([9, 2, 5])) is first
    other = ways.to(np.array([2, 5]))
    np.testing.assert_array_equal(other.sources, LabelWays.of(pool, np.array([2, 5])).sources)


def assert_equal(one: NearestLabels, other: NearestLabels) -> None:
    np.testing.assert_array_equal(one.row, other.row)
    np.testing.assert_array_equal(one.closeness, other.closeness)
