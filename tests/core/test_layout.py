"""The arithmetic of the map: what turns, scales and moves must not change, and what must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.layout.alignment import align
from ml_backend.core.layout.blend import CODE_WEIGHT, blend
from ml_backend.core.layout.drift import component_places, drift
from ml_backend.core.layout.placement import place_among
from ml_backend.core.layout.plane import principal_plane
from ml_backend.core.layout.square import FILLED, fill_square, into_square
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.errors import InputError

from .random_pools import components, dense, responsibilities, seeds

sizes = st.integers(3, 40)


def rotation(angle: float, *, mirrored: bool = False) -> NDArray[np.float64]:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return turn @ np.diag([1.0, -1.0]) if mirrored else turn


def crisp(owner: NDArray[np.int64], k: int) -> SparseResponsibilities:
    """Each item wholly in one component."""
    logits = np.full((len(owner), k), -40.0, np.float32)
    logits[np.arange(len(owner)), owner] = 0.0
    return SparseResponsibilities.from_logits(logits, top_m=min(2, k), temperature=1.0)


@given(seeds, sizes, st.floats(0.01, 100.0))
def test_a_new_map_fills_the_square_and_keeps_its_shape(seed: int, n: int, size: float) -> None:
    raw = np.random.default_rng(seed).normal(size=(n, 2)) * size + 7
    places = fill_square(raw)
    assert np.isclose(np.abs(places).max(), FILLED, atol=1e-5)
    ratio = np.linalg.norm(places - places[0], axis=1) / np.linalg.norm(raw - raw[0], axis=1).clip(1e-300)
    assert np.allclose(ratio[1:], ratio[1], rtol=1e-3)


def test_items_in_one_place_stand_in_the_middle() -> None:
    assert not fill_square(np.full((5, 2), 3.0)).any()


def test_a_map_that_fits_is_left_alone_and_others_are_scaled_only() -> None:
    fits = np.array([[0.9, -0.2], [-0.7, 0.1]], np.float32)
    assert np.array_equal(into_square(fits), fits)
    assert np.allclose(into_square(3 * fits), fits * (FILLED / 0.9), atol=1e-6)
    assert np.allclose(into_square(0.1 * fits), fits * (FILLED / 0.9), atol=1e-6)


@given(seeds, sizes, st.integers(1, 6))
def test_the_plane_holds_the_two_directions_of_largest_variance(seed: int, n: int, width: int) -> None:
    x = np.random.default_rng(seed).normal(size=(n, width)) * np.arange(1, width + 1) ** 2
    places = principal_plane(x).astype(np.float64)
    centred = x - x.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)
    spread = np.linalg.norm(places - places.mean(axis=0), axis=0)
    expected = np.zeros(2)
    expected[: min(2, width)] = singular[:2][: min(2, width)]
    assert np.allclose(spread / spread[0], expected / expected[0], atol=1e-3)


@given(seeds, sizes)
def test_the_plane_does_not_depend_on_the_order_of_the_items(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.exponential(size=(n, 4)) * [4.0, 2.0, 1.0, 0.5]
    order = rng.permutation(n)
    assert np.allclose(principal_plane(x)[order], principal_plane(x[order]), atol=1e-3)


def test_the_plane_does_not_depend_on_the_order_of_the_features() -> None:
    x = np.random.default_rng(0).exponential(size=(50, 3)) * [3.0, 2.0, 1.0]
    assert np.allclose(principal_plane(x), principal_plane(x[:, ::-1]), atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (4,)])
def test_a_map_of_nothing_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        principal_plane(np.zeros(shape))


@given(seeds, sizes, st.floats(-4, 4), st.booleans(), st.floats(0.05, 20.0))
def test_a_turned_mirrored_scaled_and_shifted_map_is_laid_back_exactly(
    seed: int, n: int, angle: float, mirrored: bool, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    old = rng.normal(size=(n, 2))
    new = old @ rotation(angle, mirrored=mirrored) * scale + rng.normal(size=2)
    assert np.allclose(align(new, old)(new), old, atol=1e-6)


@given(seeds, sizes, st.floats(-4, 4))
def test_no_other_turn_comes_closer(seed: int, n: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    old, new = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    found = align(new, old)
    assert np.allclose(found.turn @ found.turn.T, np.eye(2), atol=1e-9)
    other = (new - found.source) @ rotation(angle) * found.scale + found.target
    assert np.linalg.norm(found(new) - old) <= np.linalg.norm(other - old) + 1e-6


@given(seeds, sizes)
def test_the_aligned_map_is_as_large_as_the_old_one(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    old, new = rng.normal(size=(n, 2)), rng.normal(size=(n, 2)) * 9
    laid = align(new, old)(new)
    assert np.isclose(np.linalg.norm(laid - laid.mean(axis=0)), np.linalg.norm(old - old.mean(axis=0)))


def test_too_few_or_coinciding_items_turn_nothing() -> None:
    new = np.array([[0.3, 0.1], [0.2, -0.4], [0.0, 0.9]])
    assert np.array_equal(align(new[:2], -new[:2])(new), new)
    assert np.array_equal(align(new, np.zeros((3, 2)))(new), new)


@given(seeds, sizes)
def test_new_items_stand_within_the_span_of_their_neighbours_and_known_ones_stay(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    known = rng.random(n) < 0.5
    known[0] = True
    near = rng.integers(-1, n, (n, 3)).astype(np.int32)
    found = place_among(places, known, near, rng.uniform(-1, 1, (n, 3)).astype(np.float32))
    assert np.array_equal(found[known], places[known])
    assert (found >= places[known].min(axis=0) - 1e-6).all()
    assert (found <= places[known].max(axis=0) + 1e-6).all()


def test_a_nearer_neighbour_counts_more_and_equal_ones_alike() -> None:
    places = np.array([[1, 0], [-1, 0], [0, 0], [0, 0]], np.float32)
    known = np.array([True, True, False, False])
    near = np.array([[-1, -1], [-1, -1], [0, 1], [0, 1]], np.int32)
    similar = np.array([[0, 0], [0, 0], [0.9, 0.9], [0.9, 0.5]], np.float32)
    found = place_among(places, known, near, similar)
    assert np.allclose(found[2], [0, 0], atol=1e-6)
    assert found[3, 0] > 0.9


def test_places_travel_along_new_items_and_the_unreachable_stand_in_the_middle() -> None:
    places = np.array([[0.8, 0.4], [0, 0], [0, 0], [0, 0]], np.float32)
    near = np.array([[-1], [0], [1], [3]], np.int32)
    similar = np.full((4, 1), 0.7, np.float32)
    found = place_among(places, np.array([True, False, False, False]), near, similar)
    assert np.allclose(found, [[0.8, 0.4]] * 4, atol=1e-6)


@given(seeds, sizes, components)
def test_component_places_are_the_means_weighted_by_r(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    places, r = rng.uniform(-1, 1, (n, 2)).astype(np.float32), responsibilities(rng, n, k)
    full = dense(r)
    expected = (full.T @ places) / full.sum(axis=0)[:, None]
    assert np.allclose(component_places(places, r), expected, atol=1e-3)


@given(seeds, sizes, components)
def test_nothing_moves_while_r_stays(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    places, r = rng.uniform(-1, 1, (n, 2)).astype(np.float32), responsibilities(rng, n, k, top_m=min(k, 3))
    assert np.allclose(drift(places, r, r), places, atol=1e-6)


def test_an_item_that_goes_over_to_another_component_goes_to_its_place() -> None:
    places = np.array([[-0.5, 0.0], [-0.6, 0.1], [-0.4, -0.1], [0.5, 0.2], [0.5, 0.4]], np.float32)
    then, now = crisp(np.array([0, 0, 0, 1, 1]), 2), crisp(np.array([1, 0, 0, 1, 1]), 2)
    moved = drift(places, then, now, strength=1.0)
    assert np.allclose(moved[0] - places[0], [1.0, 0.3], atol=1e-3)
    assert np.allclose(moved[1:], places[1:], atol=1e-6)
    half = drift(places, then, now, strength=0.5)
    assert np.allclose(half[0] - places[0], [0.5, 0.15], atol=1e-3)


@given(seeds, sizes, components, st.floats(-4, 4))
def test_a_drift_turns_with_the_map(seed: int, n: int, k: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(-0.2, 0.2, (n, 2)).astype(np.float32)
    then, now = responsibilities(rng, n, k, top_m=2), responsibilities(rng, n, k, top_m=2)
    turn, shift = rotation(angle), np.array([0.2, -0.1])
    turned = drift((places @ turn + shift).astype(np.float32), then, now)
    assert np.allclose(turned, drift(places, then, now) @ turn + shift, atol=1e-4)


def test_a_drift_of_other_items_or_components_is_refused() -> None:
    rng, places = np.random.default_rng(0), np.zeros((4, 2), np.float32)
    with pytest.raises(InputError):
        drift(places, responsibilities(rng, 4, 3), responsibilities(rng, 4, 5))
    with pytest.raises(InputError):
        drift(places, responsibilities(rng, 5, 3), responsibilities(rng, 5, 3))


@given(seeds, sizes)
def test_blended_rows_are_of_length_one_and_components_draw_together(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    feature = np.tile(np.eye(1, 5, dtype=np.float32), (n, 1))
    owner = rng.integers(0, 4, n)
    rows = blend(feature, crisp(owner, 4))
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    apart = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    same = owner[:, None] == owner[None]
    assert np.allclose(apart[same], 0.0, atol=1e-2)
    if (~same).any():
        # Two components at right angles: sqrt(2) apart, shortened as the rows are.
        expected = CODE_WEIGHT * np.sqrt(2.0) / np.sqrt(1 + CODE_WEIGHT**2)
        assert np.allclose(apart[~same], expected, rtol=0.35)


def test_a_component_keeps_its_code_when_the_pool_gets_more_components() -> None:
    feature = np.tile(np.eye(1, 5, dtype=np.float32), (3, 1))
    owner = np.array([0, 1, 2])
    assert np.allclose(blend(feature, crisp(owner, 3)), blend(feature, crisp(owner, 9)), atol=1e-4)
