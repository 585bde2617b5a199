"""Labelled neighbours, and the nearest label beyond them, as votes on top of the mixture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.kernel import SHARPNESS
from ml_backend.core.neighbour_votes import LEAST_CLOSENESS, NeighbourVotes, Voters
from ml_backend.core.neighbourhood import LabelWays
from tests.core.random_pools import description, responsibilities, seeds, targets


def voters(pool: PoolDescription, rows: NDArray[np.int64], t: NDArray[np.float64]) -> Voters:
    return Voters.of(rows, t, pool.places[rows])


@given(seeds, st.integers(8, 40), st.integers(1, 5), st.booleans())
def test_the_blend_is_the_mixture_with_votes_added(seed: int, n: int, y: int, with_copies: bool) -> None:
    """Copies vote with the mean of their labels, without the one of the item that is asked about."""
    rng = np.random.default_rng(seed)
    pool = description(responsibilities(rng, n, 3), rng.normal(size=(n, 4)), k=4)
    places = rng.integers(0, n // 3, n) if with_copies else np.arange(n)
    pool = replace(pool, copies=places.astype(np.int32))
    rows = rng.choice(n, rng.integers(0, n + 1), replace=False)
    t = targets(rng, len(rows), y)
    p = rng.dirichlet(np.ones(y), n).astype(np.float32)
    blended, floor = p.copy(), np.full(n, 0.1, np.float32)
    nearest = LabelWays.of(pool, rows).nearest(pool, np.arange(n))
    NeighbourVotes.of(pool, nearest, voters(pool, rows, t), np.arange(n)).blend(blended, floor)
    for i in range(n):
        far = float(nearest.closeness[i])
        near = {int(nearest.row[i]): far} if far >= LEAST_CLOSENESS else {}
        for j, cosine in zip(pool.neighbours[i].tolist(), pool.similarities[i].tolist(), strict=True):
            if j in rows:
                near[j] = max(cosine, 0.0)
        votes, total = p[i].astype(float), 1.0
        for j, closeness in near.items():
            weight = closeness**SHARPNESS
            of_place = [label for row, label in zip(rows, t, strict=True) if places[row] == places[j] and row != i]
            votes, total = votes + weight * np.mean(of_place, axis=0), total + weight
        np.testing.assert_allclose(blended[i], votes / total, atol=1e-5)
        np.testing.assert_allclose(floor[i], 0.1 / total, atol=1e-6)
    np.testing.assert_allclose(blended.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("odd", range(4))
def test_of_copies_with_different_labels_the_majority_names_the_others(odd: int) -> None:
    """Whichever of the four labelled ones has the odd label; 20 copies list the first two as neighbours."""
    n, rows = 20, np.array([3, 8, 11, 17])
    pool = description(responsibilities(np.random.default_rng(0), n, 2), np.ones((n, 3)), k=2)
    pool.neighbours[:] = [[row for row in range(3) if row != item][:2] for item in range(n)]
    pool.similarities[:] = 1.0
    pool = replace(pool, copies=np.zeros(n, np.int32))
    t = np.eye(2)[np.where(np.arange(4) == odd, 1, 0)]
    p = np.full((n, 2), 0.5)
    nearest = LabelWays.of(pool, rows).nearest(pool, np.arange(n))
    NeighbourVotes.of(pool, nearest, voters(pool, rows, t), np.arange(n)).blend(p, np.zeros(n))
    free = ~np.isin(np.arange(n), rows)
    np.testing.assert_allclose(p[free], [[(0.5 + 0.75) / 2, (0.5 + 0.25) / 2]] * 16, atol=1e-6)
    np.testing.assert_allclose(p[rows[odd]], [(0.5 + 1.0) / 2, 0.25], atol=1e-6)
    right = rows[np.arange(4) != odd]
    np.testing.assert_allclose(p[right], [[(0.5 + 2 / 3) / 2, (0.5 + 1 / 3) / 2]] * 3, atol=1e-6)


def test_a_neighbours_own_cosine_counts_though_a_way_over_another_is_shorter() -> None:
    pool = description(responsibilities(np.random.default_rng(0), 3, 2), np.eye(3), k=2)
    pool.neighbours[:] = [[1, 2], [2, 0], [1, 0]]
    pool.similarities[:] = [[0.95, 0.7], [0.95, 0.9], [0.9, 0.7]]
    rows = np.array([2])
    nearest = LabelWays.of(pool, rows).nearest(pool, np.arange(3))
    assert nearest.closeness[0] > 0.9
    votes = NeighbourVotes.of(pool, nearest, voters(pool, rows, np.ones((1, 1))), np.arange(3))
    np.testing.assert_allclose(votes.weights.toarray()[:, 0], [0.7**SHARPNESS, 0.95**SHARPNESS, 0.0], atol=1e-6)


def test_an_item_without_labelled_neighbours_keeps_its_probabilities() -> None:
    rng = np.random.default_rng(0)
    pool = description(responsibilities(rng, 20, 3), rng.normal(size=(20, 4)), k=3)
    p = rng.dirichlet(np.ones(3), 20).astype(np.float32)
    kept = p.copy()
    none = np.empty(0, np.int64)
    nobody = voters(pool, none, np.empty((0, 3)))
    votes = NeighbourVotes.of(pool, LabelWays.of(pool, none).nearest(pool), nobody, np.arange(20))
    votes.blend(kept, np.zeros(20, np.float32))
    np.testing.assert_array_equal(kept, p)


def test_a_neighbour_at_cosine_one_is_a_label_and_another_counts_by_the_eighth_power() -> None:
    pool = description(responsibilities(np.random.default_rng(0), 3, 2), np.eye(3), k=1)
    pool.neighbours[:, 0] = 2
    pool.similarities[:, 0] = [1.0, 0.9, 0.0]
    rows = np.array([2])
    nearest = LabelWays.of(pool, rows).nearest(pool, np.arange(3))
    votes = NeighbourVotes.of(pool, nearest, voters(pool, rows, np.array([[0.0, 1.0]])), np.arange(3))
    p = np.full((3, 2), 0.5)
    votes.blend(p, np.zeros(3))
    np.testing.assert_allclose(p[:2, 1], [1.5 / 2, (0.5 + 0.9**8) / (1 + 0.9**8)], atol=1e-6)
