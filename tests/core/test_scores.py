"""Scores: s_ood against the formula, and their directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.core import scores
from ml_backend.core.labels import class_probabilities, soft_counts, tau
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


@given(seeds, st.integers(2, 100))
def test_typicality_orders_by_mean_similarity(seed: int, n: int) -> None:
    similar = np.random.default_rng(seed).random((n, 4)).astype(np.float32)
    typical = scores.typicality(similar)
    assert 0 <= typical.min() <= typical.max() <= 1
    np.testing.assert_array_equal(np.argsort(typical, kind="stable"), np.argsort(similar.mean(axis=1), kind="stable"))


def test_without_any_neighbour_an_item_is_as_typical_as_any() -> None:
    assert scores.typicality(np.zeros((1, 0), np.float32)).tolist() == [0.5]
