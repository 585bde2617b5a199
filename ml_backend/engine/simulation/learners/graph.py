"""The symmetric neighbour graph of a pool, and the linear solver that label spreading and Poisson learning share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import Embedded, Part

SHARPNESS = 4.0
"""Weight of an edge: exp(-4 d^2 / d_k^2), d_k = distance to the k-th neighbour (self-tuning, Zelnik-Manor 2004)."""
TOLERANCE = 1e-3
"""Residual, relative to the right-hand side, at which a column is solved: more digits move no decision."""
STEPS = 150

TUNING_LABELS = 100
"""Labelled items that are left out in turn when tuning."""
TUNING_TOLERANCE = 1e-2
"""Enough to compare settings."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class LeftOut:
    """chosen: (m,) positions among the labelled items. votes: (m, Y) from all the other labels."""

    chosen: NDArray[np.int64]
    votes: NDArray[np.float64]


def neighbour_graph(data: Embedded, k: int) -> sparse.csr_array:
    """(N, N) float32 weights, symmetric, no self-loops: an edge where one of two is among the other's k nearest."""
    indices, cosine = (array[:, :k] for array in data.neighbours("pool"))
    n = len(indices)
    distance2 = np.maximum(2.0 - 2.0 * cosine, 0.0)
    scale = np.maximum(distance2[:, -1:], 1e-12)
    weight = np.where(indices >= 0, np.exp(-SHARPNESS * distance2 / scale), 0.0).astype(np.float32)
    item = np.repeat(np.arange(n), indices.shape[1])
    found = indices.ravel() >= 0
    graph = sparse.csr_array((weight.ravel()[found], (item[found], indices.ravel()[found])), shape=(n, n))
    return graph.maximum(graph.T).tocsr()


def solve(matrix: sparse.csr_array, right: Matrix, tolerance: float = TOLERANCE) -> Matrix:
    """(N, Y) solution of matrix @ u = right by conjugate gradients, all columns at once.

    matrix: symmetric, positive definite; preconditioned with its diagonal.
    """
    inverse = (1.0 / matrix.diagonal()).astype(np.float32)[:, None]
    solution = np.zeros_like(right)
    residual = right.copy()
    step = inverse * residual
    rho = _dot(residual, step)
    goal = tolerance**2 * rho
    for _ in range(STEPS):
        if np.all(rho <= goal):
            break
        image = np.asarray(matrix @ step)
        length = rho / np.maximum(_dot(step, image), 1e-30)
        solution += length * step
        residual -= length * image
        scaled = inverse * residual
        previous, rho = rho, _dot(residual, scaled)
        step = scaled + (rho / np.maximum(previous, 1e-30)) * step
    return solution


def extend(data: Embedded, part: Part, values: Matrix, k: int) -> Matrix:
    """Values of the pool (N, Y) for a part: the pool's own, or the cosine-weighted mean of the k nearest pool rows."""
    if part == "pool":
        return values
    indices, cosine = (array[:, :k] for array in data.neighbours(part))
    weight = np.where(indices >= 0, np.maximum(cosine, 1e-6), 0.0).astype(np.float32)
    item = np.repeat(np.arange(len(indices)), indices.shape[1])
    shape = (len(indices), len(values))
    mean = sparse.csr_array((weight.ravel(), (item, np.maximum(indices, 0).ravel())), shape=shape)
    return np.asarray(mean @ values / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12), np.float32)


def left_out_votes(matrix: sparse.csr_array, labels: LabelSet, targets: NDArray[np.float64], seed: int) -> LeftOut:
    """What an item's solution would be without its own label, for up to TUNING_LABELS of the labelled items.

    One solve: what the others send to an item is a column of the inverse. targets: (n, Y), the sources.
    """
    chosen = np.arange(len(labels.rows))
    if len(chosen) > TUNING_LABELS:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, TUNING_LABELS, replace=False))
    columns = np.zeros((matrix.shape[0], len(chosen)), np.float32)
    columns[labels.rows[chosen], np.arange(len(chosen))] = 1.0
    influence = solve(matrix, columns, TUNING_TOLERANCE)[labels.rows].T
    influence[np.arange(len(chosen)), chosen] = 0.0
    return LeftOut(chosen, influence @ targets)


def _dot(a: Matrix, b: Matrix) -> Matrix:
    return np.asarray(np.einsum("ny,ny->y", a, b))
