"""Targets of an epoch: the neighbour graph, its averages, and tau."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.sparse import csr_matrix

from ml_backend.core.batches import PoolBatches
from ml_backend.core.hyperparameters import RunConfig
from ml_backend.core.labels import soft_counts, tau
from ml_backend.core.model import TrainingData
from ml_backend.core.teacher import SHARPNESS, STEPS, TEACHER_M, anchored_r, label_tau, mutual_graph, neighbour_teacher
from tests.core.synthetic import blobs, label_set
from tests.core.test_model import CONFIG, model_of


def test_only_mutual_neighbours_are_linked_but_nobody_stays_alone() -> None:
    neighbours = np.array([[1, 2], [0, -1], [3, -1], [1, -1]], dtype=np.int32)
    graph = mutual_graph(neighbours).toarray()
    assert graph[0].tolist() == [0, 1, 0, 0]
    assert graph[1].tolist() == [1, 0, 0, 0]
    assert graph[2].tolist() == [0, 0, 0, 1]  # nobody returns 2's choice: its own one counts
    assert graph[3].tolist() == [0, 1, 0, 0]


def test_the_teacher_is_the_sharpened_average_over_the_graph() -> None:
    random = np.random.default_rng(0)
    neighbours = random.integers(0, 30, size=(30, 4)).astype(np.int32)
    r = random.dirichlet(np.ones(5), size=30).astype(np.float32)
    graph = mutual_graph(neighbours)
    teacher = neighbour_teacher(graph, csr_matrix(r))
    expected = r.astype(np.float64)
    for _ in range(STEPS):
        expected = (graph.toarray() + np.eye(30)) @ expected
        expected /= expected.sum(1, keepdims=True)
    expected **= SHARPNESS
    expected /= expected.sum(1, keepdims=True)
    dense = np.zeros_like(expected)
    np.put_along_axis(dense, teacher.indices, teacher.values, axis=1)
    assert np.allclose(dense, expected, atol=1e-5)


def test_the_teacher_keeps_the_largest_components_and_skips_items_without_neighbours() -> None:
    random = np.random.default_rng(1)
    neighbours = random.integers(0, 20, size=(20, 3)).astype(np.int32)
    neighbours[neighbours == 7] = 8
    neighbours[7] = -1
    r = random.dirichlet(np.ones(40), size=20).astype(np.float32)
    teacher = neighbour_teacher(mutual_graph(neighbours), csr_matrix(r))
    assert teacher.values.shape == (20, TEACHER_M)
    totals = teacher.values.sum(1)
    assert totals[7] == 0
    assert np.allclose(np.delete(totals, 7), 1, atol=1e-5)


def test_neighbours_mend_a_wrong_assignment() -> None:
    neighbours = np.array([[j for j in range(6) if j != i] for i in range(6)], dtype=np.int32)
    r = np.tile([0.9, 0.1], (6, 1)).astype(np.float32)
    r[0] = [0.2, 0.8]
    teacher = neighbour_teacher(mutual_graph(neighbours), csr_matrix(r))
    assert teacher.indices[0, 0] == 0
    assert teacher.values[0, 0] > 0.75


def test_tau_in_training_is_that_of_the_label_store() -> None:
    x, y = blobs(200, 4, 20, seed=0)
    model = model_of(x, replace(CONFIG, top_m=CONFIG.n_components))
    labels = label_set(np.arange(0, 200, 7), y, 4)
    r = model.encode(x).responsibilities
    for alpha0 in (None, 0.01):
        inside = label_tau(model._vae, PoolBatches(model._backbone, x, torch.device("cpu")), labels, alpha0)
        outside = tau(soft_counts(r.take(labels.rows), labels.targets, r.n_components), alpha0)
        assert np.allclose(inside.numpy(), outside, atol=1e-5)


def test_training_does_not_move_the_anchored_responsibilities() -> None:
    x, _ = blobs(300, 4, 20, seed=0)
    model = model_of(x, CONFIG)
    pool = PoolBatches(model._backbone, x, torch.device("cpu"))
    before = anchored_r(model._vae, pool, 4).toarray()
    model.train(TrainingData(x), RunConfig(epochs=3))
    assert np.array_equal(before, anchored_r(model._vae, pool, 4).toarray())
