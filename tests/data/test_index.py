"""Neighbours: the truth by brute force, and defined answers for odd input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.data.index import NeighbourIndex, neighbours
from ml_backend.errors import InputError


def unit_rows(n: int, dimension: int = 8, seed: int = 0) -> NDArray[np.float32]:
    x = np.random.default_rng(seed).normal(size=(n, dimension))
    rows: NDArray[np.float64] = x / np.linalg.norm(x, axis=1, keepdims=True)
    return rows.astype(np.float32)


@settings(max_examples=30)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 1000))
def test_neighbours_are_those_of_brute_force_without_the_row_itself(n: int, k: int, seed: int) -> None:
    x = unit_rows(n, seed=seed)
    index, similar = neighbours(x, k)
    cosine = x @ x.T
    np.fill_diagonal(cosine, -2)
    found = min(k, n - 1)
    np.testing.assert_allclose(similar[:, :found], -np.sort(-cosine, axis=1)[:, :found], atol=1e-5)
    taken = np.take_along_axis(cosine, index[:, :found].astype(int), axis=1)
    np.testing.assert_allclose(taken, similar[:, :found], atol=1e-5)
    assert index.dtype == np.int32
    assert similar.dtype == np.float32
    assert np.all(index != np.arange(n)[:, None])
    assert np.all(index[:, found:] == -1)
    assert np.all(similar[:, found:] == 0)


def test_duplicates_are_neighbours_of_each_other_and_never_of_themselves() -> None:
    x = np.tile(unit_rows(1), (30, 1))
    index, similar = neighbours(x, 4)
    assert np.all(index != np.arange(30)[:, None])
    assert all(len(set(row)) == 4 for row in index.tolist())
    np.testing.assert_allclose(similar, 1.0, atol=1e-5)


def test_inverted_lists_find_nearly_what_brute_force_finds() -> None:
    centres = unit_rows(40, 16, seed=1)
    x = centres[np.arange(4000) % 40] + 0.2 * unit_rows(4000, 16, seed=2)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    exact, _ = neighbours(x, 10)
    lists, similar = neighbours(x, 10, exact_below=100)
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact.tolist(), lists.tolist(), strict=True)])
    assert recall > 0.9
    assert np.all(lists != np.arange(4000)[:, None])
    assert np.all(np.diff(similar, axis=1) <= 1e-6)


def test_a_query_finds_the_row_itself_in_the_reference() -> None:
    x = unit_rows(50)
    index, similar = NeighbourIndex(x).search(x[7:9], 3)
    assert index[:, 0].tolist() == [7, 8]
    np.testing.assert_allclose(similar[:, 0], 1.0, atol=1e-5)


def test_rows_added_later_are_found_and_numbered_on() -> None:
    x = unit_rows(60)
    grown = NeighbourIndex(x[:40])
    grown.add(x[40:])
    assert len(grown) == 60
    whole = neighbours(x, 5)[0]
    np.testing.assert_array_equal(grown.neighbours(x[40:], 5, first_row=40)[0], whole[40:])


@pytest.mark.parametrize("n", [0, 1])
def test_a_pool_without_other_rows_has_no_neighbours(n: int) -> None:
    index, similar = neighbours(unit_rows(n), 3)
    assert index.tolist() == [[-1, -1, -1]] * n
    assert similar.tolist() == [[0, 0, 0]] * n


def test_half_precision_and_strided_rows_are_read_as_they_are() -> None:
    x = unit_rows(100)
    np.testing.assert_array_equal(neighbours(x[::2].astype(np.float16), 1)[0], neighbours(x[::2].copy(), 1)[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_are_refused(bad: float) -> None:
    x = unit_rows(10)
    x[3, 2] = bad
    with pytest.raises(InputError, match="NaN"):
        neighbours(x, 2)
    with pytest.raises(InputError, match="NaN"):
        NeighbourIndex(unit_rows(10)).search(x, 2)


def test_another_width_is_refused() -> None:
    with pytest.raises(InputError, match="9 dimensions"):
        NeighbourIndex(unit_rows(10, 8)).search(unit_rows(10, 9), 2)
    with pytest.raises(InputError, match="not \\(N, F\\)"):
        neighbours(np.zeros(5, np.float32), 2)
