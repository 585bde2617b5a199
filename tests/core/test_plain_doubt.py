"""A classifier of the labels alone doubts a small group that a large class's components swallow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.plain_doubt import FEWEST_LABELS, PlainDoubt
from ml_backend.core.softmax_regression import softmax, softmax_regression
from tests.core.random_pools import description, responsibilities, seeds

LARGE, SMALL = 150, 12
CLASSES = 4


def pool(seed: int) -> tuple[PoolDescription, NDArray[np.int64]]:
    """Four large groups and, last, a small one beside the first of them; (N,) group of each item."""
    rng = np.random.default_rng(seed)
    centres = np.eye(CLASSES + 1, 8) * 4.0
    centres[CLASSES, 0] = 3.0
    group = np.repeat(np.arange(CLASSES + 1), [LARGE] * CLASSES + [SMALL])
    points = centres[group] + 0.5 * rng.standard_normal((len(group), 8))
    return description(responsibilities(rng, len(group), 3), points), group


def labels(
    group: NDArray[np.int64], seed: int, n: int = FEWEST_LABELS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Of the large groups only."""
    rows = np.sort(np.random.default_rng(seed).choice(CLASSES * LARGE, n, replace=False))
    return rows, np.eye(CLASSES)[group[rows]]


@pytest.mark.parametrize("seed", range(3))
def test_a_small_group_beside_a_large_class_is_asked_about_first(seed: int) -> None:
    described, group = pool(seed)
    doubt = PlainDoubt.of(described, *labels(group, seed))
    assert doubt is not None
    first = np.argsort(-doubt.order(described), kind="stable")[: 2 * SMALL]
    assert np.mean(group[first] == CLASSES) > 10 * SMALL / len(group)


def test_a_labelled_item_is_not_far_from_a_label() -> None:
    described, group = pool(0)
    rows, targets = labels(group, 0)
    doubt = PlainDoubt.of(described, rows, targets)
    assert doubt is not None
    np.testing.assert_allclose(doubt.far[rows], 0.0, atol=2e-3)
    assert doubt.far[group == CLASSES].min() > 0.0


def test_few_labels_one_class_or_no_features_give_no_classifier() -> None:
    described, group = pool(0)
    rows, targets = labels(group, 0)
    assert PlainDoubt.of(described, rows[1:], targets[1:]) is None
    alike = np.eye(CLASSES)[np.zeros(len(rows), int)]
    assert PlainDoubt.of(described, rows, alike) is None
    without = replace(described, features=described.features[:, :0])
    assert PlainDoubt.of(without, rows, targets) is None


def test_a_class_that_nobody_has_named_changes_nothing() -> None:
    described, group = pool(0)
    rows, targets = labels(group, 0)
    wider = np.column_stack([np.zeros(len(rows)), targets])
    one, other = PlainDoubt.of(described, rows, targets), PlainDoubt.of(described, rows, wider)
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.unsure, other.unsure, atol=1e-6)


@given(seeds, st.integers(1, 40))
def test_the_order_has_a_place_for_every_item(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    described = description(responsibilities(rng, n, 3), rng.standard_normal((n, 3)))
    order = PlainDoubt(rng.random(n, np.float32), rng.random(n, np.float32)).order(described)
    assert 0.0 < order.min() <= order.max() <= 1.0


def test_regression_is_at_the_minimum_of_its_loss() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((60, 5)).astype(np.float32)
    p = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 60)]
    weights, bias = softmax_regression(rows, p)
    error = softmax(rows @ weights + bias) - p
    np.testing.assert_allclose(rows.T @ error + weights / 30.0, 0.0, atol=0.02)
    np.testing.assert_allclose(error.sum(axis=0), 0.0, atol=0.02)
