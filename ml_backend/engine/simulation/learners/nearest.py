"""k nearest labelled items, weighed by cosine; k by leave-one-out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import Embedded, Part, Rows
from ml_backend.engine.simulation.outcome import Fitted, Outcome

GRID = (1, 3, 5, 10, 20)
NOVELTY_K = 10
"""Neighbour in the pool whose distance is the novelty."""
CHUNK = 1024


def fit_nearest(data: Embedded, labels: LabelSet, seed: int) -> Fitted:
    """Deterministic; the seed is not used. s_ood: distance to the nearest labelled item.

    Novelty: distance to the pool, where there is anything to tell apart.
    """
    known = data.pool[labels.rows]
    k = choose_k(known, labels.targets)

    def predict(part: Part) -> Outcome:
        rows = data.rows[part]
        p = np.zeros((len(rows), len(labels.classes)))
        nearest = np.zeros(len(rows), np.float32)
        for start in range(0, len(rows), CHUNK):
            chunk = slice(start, start + CHUNK)
            similarity = rows[chunk] @ known.T
            p[chunk] = _votes(similarity, labels.targets, k)
            nearest[chunk] = similarity.max(axis=1)
        strange = data.knn_novelty(part, NOVELTY_K) if len(data.rows["ood"]) else None
        return Outcome.of(p, novelty=strange, s_ood=1.0 - nearest)

    return predict


def choose_k(known: Rows, targets: NDArray[np.float64]) -> int:
    """The k of the grid with the best leave-one-out accuracy; the smallest of equals."""
    similarity = known @ known.T
    np.fill_diagonal(similarity, -2.0)
    y = targets.argmax(axis=1)
    usable = [k for k in GRID if k < len(known)] or [1]
    return max(usable, key=lambda k: int(np.sum(_votes(similarity, targets, k).argmax(axis=1) == y)))


def _votes(similarity: Rows, targets: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """(m, n) cosines to the labelled items -> (m, Y) shares of the votes of the k nearest."""
    k = min(k, similarity.shape[1])
    nearest = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    weight = np.maximum(np.take_along_axis(similarity, nearest, axis=1).astype(np.float64), 1e-6)
    votes = np.einsum("mk,mky->my", weight, targets[nearest])
    return np.asarray(votes / weight.sum(axis=1, keepdims=True))
