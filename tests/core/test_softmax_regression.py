"""Multinomial logistic regression against its own conditions."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_backend.core.softmax_regression import RIDGE, softmax_regression
from tests.core.random_pools import seeds


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(2, 5))
def test_the_gradient_of_the_penalised_loss_vanishes(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(40, 3)).astype(np.float32)
    targets = rng.dirichlet(np.ones(n_classes), 40).astype(np.float32)
    weights, bias = softmax_regression(rows, targets)
    logits = rows @ weights + bias
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(rows.T @ (p - targets) + RIDGE * weights, 0.0, atol=0.02)
    np.testing.assert_allclose((p - targets).sum(axis=0), 0.0, atol=0.02)


def test_a_weight_of_two_is_the_row_twice() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 3)).astype(np.float32)
    targets = rng.dirichlet(np.ones(3), 60).astype(np.float32)
    weight = np.where(np.arange(60) < 20, 2.0, 1.0).astype(np.float32)
    weighted, _ = softmax_regression(rows, targets, weight)
    twice, _ = softmax_regression(np.concatenate([rows, rows[:20]]), np.concatenate([targets, targets[:20]]))
    np.testing.assert_allclose(weighted, twice, atol=0.01)
    unweighted, _ = softmax_regression(rows, targets)
    assert np.abs(weighted - unweighted).max() > 0.03


def test_the_threads_of_the_process_stay_as_they_were() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        softmax_regression(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
