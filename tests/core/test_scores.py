"""Scores: s_ood against the formula, directions, and the validity of conformal p-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core import scores
from ml_backend.core.labels import class_probabilities, soft_counts, tau
from ml_backend.core.scores import NoveltyReference, NoveltyTraits, conformal_p_values, own_p_values
from tests.core.random_pools import classes, components, dense, responsibilities, seeds, sizes, targets


@given(seeds, sizes, components, classes)
def test_s_ood_at_temperature_one_is_the_formula(seed: int, n: int, k: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    r, store = responsibilities(rng, n, k), tau(rng.exponential(size=(k, y)), None)
    full = dense(r)
    naive = [1 - max(full[i, c] * max(store[c]) for c in range(k)) for i in range(n)]
    np.testing.assert_allclose(scores.s_ood(r, store), naive, atol=1e-6)


@given(seeds, sizes, components, st.floats(1.5, 20))
def test_a_temperature_softens_r_exactly_over_all_components(seed: int, n: int, k: int, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    r, store = responsibilities(rng, n, k, temperature=temperature), tau(rng.exponential(size=(k, 3)), None)
    soft = dense(r) ** (1 / temperature)
    soft /= soft.sum(axis=1, keepdims=True)
    naive = 1 - (soft * store.max(axis=1)).max(axis=1)
    np.testing.assert_allclose(scores.s_ood(r, store), naive, atol=1e-4)


@given(seeds, sizes, components, st.integers(2, 6))
def test_scores_stay_in_their_range_and_a_label_moves_them_the_right_way(seed: int, n: int, k: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    r, t = responsibilities(rng, n, k, min(k, 4)), targets(rng, n, y)
    s = soft_counts(r, t, k)
    p = np.sort(class_probabilities(r, tau(s, None)), axis=1)
    share = scores.labelled_share(r, s, None)
    evidence, ambiguity = scores.evidence(r, s), scores.ambiguity(share, p[:, -1], p[:, -2])
    for value in (evidence, ambiguity, share, scores.s_ood(r, tau(s, None))):
        assert value.shape == (n,)
        assert value.dtype == np.float32
        assert 0 <= value.min() <= value.max() <= 1
    s[:, 0] += 1.0  # the same label on every component
    assert np.all(scores.evidence(r, s) > evidence)
    assert np.all(scores.labelled_share(r, s, None) >= share - 1e-6)


@given(seeds, sizes, components, st.integers(2, 6))
def test_the_labelled_share_is_what_p_holds_beyond_its_floor(seed: int, n: int, k: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    r = responsibilities(rng, n, k, min(k, 4))
    s = rng.exponential(size=(k, y)) * rng.integers(0, 2, (k, 1))
    s[:, -1] = 0.0  # no label of the last class: p of it is the floor
    floor = class_probabilities(r, tau(s, None))[:, -1]
    np.testing.assert_allclose(scores.labelled_share(r, s, None), np.maximum(1 - y * floor, 0), atol=1e-5)


def test_ambiguity_needs_labels_that_conflict() -> None:
    one, two = np.array([0.34, 0.9, 0.5], np.float32), np.array([0.33, 0.05, 0.5], np.float32)
    share = np.array([0.0, 0.85, 1.0], np.float32)
    quiet, agreed, torn = scores.ambiguity(share, one, two)
    assert (quiet, torn) == (0.0, 1.0)
    assert agreed == pytest.approx(0.0, abs=1e-6)


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


def traits(similar: NDArray[np.float32], log_density: NDArray[np.float32]) -> NoveltyTraits:
    return NoveltyTraits(similar, log_density, np.zeros(len(similar), np.float32), np.ones(len(similar), np.float32))


def neighbourhoods(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Similarities (n, 5) and log densities (n,) that depend on each other, as in a real pool."""
    hidden = rng.standard_t(3, size=n)
    similar = 1 / (1 + np.exp(hidden[:, None] + 0.3 * rng.normal(size=(n, 5))))
    return similar.astype(np.float32), (-5 * hidden + 2 * rng.normal(size=n)).astype(np.float32)


@pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
def test_at_a_level_that_share_of_ordinary_items_is_flagged(level: float) -> None:
    rng = np.random.default_rng(1)
    reference = NoveltyReference.fit(traits(*neighbourhoods(rng, 4000)))
    flagged = float(np.mean(reference.p_values(traits(*neighbourhoods(rng, 20_000))) <= level))
    assert flagged == pytest.approx(level, abs=3 * np.sqrt(level / 4000))


def test_novelty_sees_both_the_far_and_the_improbable() -> None:
    rng = np.random.default_rng(2)
    similar, log_density = neighbourhoods(rng, 2000)
    reference = NoveltyReference.fit(traits(similar, log_density))
    middle = np.full((1, 5), np.median(similar), np.float32), np.array([np.median(log_density)], np.float32)
    far = np.zeros((1, 5), np.float32), middle[1]
    improbable = middle[0], np.array([log_density.min() * 3], np.float32)
    ordinary = reference.p_values(traits(*middle))[0]
    assert reference.p_values(traits(*far))[0] < 0.05 < ordinary
    assert reference.p_values(traits(*improbable))[0] < 0.5 * ordinary


def test_strange_items_beyond_the_pool_stay_ordered() -> None:
    rng = np.random.default_rng(3)
    similar, log_density = neighbourhoods(rng, 500)
    reference = NoveltyReference.fit(traits(similar, log_density))
    worse = np.linspace(similar.min(), -1, 5, dtype=np.float32)[:, None].repeat(5, axis=1)
    scored = reference.score(traits(worse, np.full(5, np.median(log_density), np.float32)))
    assert np.all(np.diff(scored) > 0)


@given(seeds, st.integers(2, 100))
def test_typicality_orders_by_mean_similarity(seed: int, n: int) -> None:
    similar = np.random.default_rng(seed).random((n, 4)).astype(np.float32)
    typical = scores.typicality(similar)
    assert 0 <= typical.min() <= typical.max() <= 1
    np.testing.assert_array_equal(np.argsort(typical, kind="stable"), np.argsort(similar.mean(axis=1), kind="stable"))


def test_without_any_neighbour_nothing_breaks() -> None:
    alone = np.zeros((1, 0), np.float32)
    assert scores.typicality(alone).tolist() == [0.5]
    one = traits(alone, np.zeros(1, np.float32))
    assert NoveltyReference.fit(one).p_values(one).tolist() == [1.0]


def test_what_lies_far_outside_is_novel_however_near_its_neighbours_are() -> None:
    rng = np.random.default_rng(4)
    similar, log_density = neighbourhoods(rng, 2000)
    outside = rng.gamma(20.0, size=2000).astype(np.float32)
    reference = NoveltyReference.fit(NoveltyTraits(similar, log_density, outside, np.ones(len(outside), np.float32)))
    near, dense = np.full((2, 5), np.quantile(similar, 0.9), np.float32), np.full(2, np.median(log_density), np.float32)
    ordinary, alien = reference.p_values(
        NoveltyTraits(near, dense, np.array([outside.max(), 90.0], np.float32), np.ones(2, np.float32))
    )
    assert alien < 0.01 < 0.2 < ordinary
