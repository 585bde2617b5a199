"""Novelty: what makes an item strange, and the validity of conformal p-values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.novelty import (
    NoveltyReference,
    NoveltyTraits,
    conformal_p_values,
    distance_around,
    far_distance,
    own_p_values,
)
from tests.core.random_pools import seeds


@given(seeds, st.integers(1, 200), st.integers(1, 50))
def test_conformal_p_values_count_the_stranger_reference_items(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    reference, new = np.sort(rng.integers(0, 20, n)).astype(np.float32), rng.integers(-2, 22, m).astype(np.float32)
    naive = [(1 + np.sum(reference >= v)) / (n + 1) for v in new]
    np.testing.assert_allclose(conformal_p_values(reference, new), naive, rtol=1e-6)


@given(seeds, st.integers(1, 60))
def test_own_p_values_leave_the_item_itself_out(seed: int, n: int) -> None:
    values = np.random.default_rng(seed).integers(0, 9, n).astype(np.float32)
    naive = [(1 + np.sum(np.delete(values, i) >= values[i])) / n for i in range(n)]
    np.testing.assert_allclose(own_p_values(values), naive, rtol=1e-6)


def test_near_copies_do_not_make_the_others_near() -> None:
    cosines = np.array([[1.0, 1.0, 1.0, *[0.5] * 7], [*[0.5] * 10]], np.float32)
    np.testing.assert_allclose(far_distance(cosines), [0.5, 0.5])
    np.testing.assert_allclose(far_distance(np.zeros((2, 0), np.float32)), [1.0, 1.0])


@given(seeds, st.integers(1, 30), st.integers(0, 6))
def test_the_distance_around_an_item_is_the_median_of_its_real_neighbours(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    distance, neighbours = rng.random(n).astype(np.float32), rng.integers(-1, n, (20, k)).astype(np.int32)
    naive = [np.median(distance[row[row >= 0]] if np.any(row >= 0) else distance) for row in neighbours]
    np.testing.assert_allclose(distance_around(distance, neighbours), naive, rtol=1e-6)


def ordinary(rng: np.random.Generator, n: int) -> NoveltyTraits:
    """Distances and densities that depend on each other, as in a real pool."""
    hidden = rng.standard_t(3, size=n)
    distance = (1 / (1 + np.exp(-hidden))).astype(np.float32)
    around = np.clip(distance + 0.05 * rng.normal(size=n), 0.01, 1).astype(np.float32)
    dense = (-5 * hidden + 2 * rng.normal(size=n)).astype(np.float32)
    return NoveltyTraits(distance, around, dense, np.zeros(n, np.float32), np.ones(n, np.float32))


def typical(pool: NoveltyTraits, n: int) -> NoveltyTraits:
    """n items in the middle of the pool in each respect."""
    return NoveltyTraits(*(np.full(n, np.median(values), np.float32) for values in vars(pool).values()))


@pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
def test_at_a_level_that_share_of_ordinary_items_is_flagged(level: float) -> None:
    rng = np.random.default_rng(1)
    reference = NoveltyReference.fit(ordinary(rng, 4000))
    flagged = float(np.mean(reference.p_values(ordinary(rng, 20_000)) <= level))
    assert flagged == pytest.approx(level, abs=3 * np.sqrt(level / 4000))


def test_novelty_sees_the_far_the_improbable_and_what_is_farther_than_all_around() -> None:
    pool = ordinary(np.random.default_rng(2), 2000)
    reference = NoveltyReference.fit(pool)
    middle = typical(pool, 1)
    usual = reference.p_values(middle)[0]
    far = replace(middle, distance=np.ones(1, np.float32), around=np.ones(1, np.float32))
    improbable = replace(middle, log_density=np.array([pool.log_density.min() * 3], np.float32))
    beside_a_crowd = replace(middle, around=np.float32(0.25) * middle.around)
    assert reference.p_values(far)[0] < 0.05 < usual
    assert reference.p_values(improbable)[0] < 0.5 * usual
    assert reference.p_values(beside_a_crowd)[0] < 0.5 * usual


def test_strange_items_beyond_the_pool_stay_ordered() -> None:
    pool = ordinary(np.random.default_rng(3), 500)
    reference = NoveltyReference.fit(pool)
    worse = replace(typical(pool, 5), distance=np.linspace(1, 2, 5, dtype=np.float32))
    assert np.all(np.diff(reference.score(worse)) > 0)


def test_copies_of_each_other_make_no_item_infinitely_far() -> None:
    pool = ordinary(np.random.default_rng(5), 100)
    at_copies = replace(typical(pool, 2), around=np.array([0.0, 1e-9], np.float32))
    assert np.all(np.isfinite(NoveltyReference.fit(pool).score(at_copies)))


def test_without_any_neighbour_nothing_breaks() -> None:
    nothing, none = np.zeros((1, 0), np.float32), np.zeros((1, 0), np.int32)
    distance = far_distance(nothing)
    one = NoveltyTraits(distance, distance_around(distance, none), *np.ones((3, 1), np.float32))
    assert NoveltyReference.fit(one).p_values(one).tolist() == [1.0]


def test_what_lies_far_outside_is_novel_however_near_its_neighbours_are() -> None:
    rng = np.random.default_rng(4)
    pool = replace(ordinary(rng, 2000), outside=rng.gamma(20.0, size=2000).astype(np.float32))
    reference = NoveltyReference.fit(pool)
    near = replace(typical(pool, 2), distance=np.full(2, np.quantile(pool.distance, 0.1), np.float32))
    edge: NDArray[np.float32] = np.array([np.quantile(pool.outside, 0.99), 90.0], np.float32)
    usual, alien = reference.p_values(replace(near, outside=edge))
    assert alien < 0.01 < 0.2 < usual
