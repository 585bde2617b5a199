"""Label spreading (Zhou et al. 2004) on the cosine neighbour graph: F = (I - alpha S)^-1 Y, solved to the end.

scikit-learn's LabelSpreading keeps self-loops and binary weights, unlike the paper; here are neither. k and alpha are
chosen by leave-one-out on the labels given, the confidence is calibrated on the same.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml_backend.core.calibration import apply_temperature, fit_temperature
from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import Embedded, Part
from ml_backend.engine.simulation.learners.graph import (
    LeftOut,
    Matrix,
    extend,
    left_out_votes,
    neighbour_graph,
    solve,
)
from ml_backend.engine.simulation.outcome import Fitted, Outcome

NEIGHBOURS = (10, 20)
ALPHAS = (0.9, 0.99, 0.5)
"""Of equally good ones the first wins."""
UNREACHED = 1e-12


def fit_spreading(data: Embedded, labels: LabelSet, seed: int) -> Fitted:
    """The seed chooses the labels that tuning looks at."""
    graphs = {k: _normalised(neighbour_graph(data, k)) for k in NEIGHBOURS}
    y = labels.targets.argmax(axis=1)
    tried = {
        (k, alpha): left_out_votes(_system(graphs[k], alpha), labels, labels.targets, seed)
        for k, alpha in product(NEIGHBOURS, ALPHAS)
    }
    k, alpha = max(tried, key=lambda pair: _right(tried[pair], y))
    best = tried[k, alpha]
    temperature = fit_temperature(_shares(best.votes), labels.targets[best.chosen])
    spread = solve(_system(graphs[k], alpha), _sources(labels, len(data.pool)))

    def predict(part: Part) -> Outcome:
        return Outcome.of(apply_temperature(_shares(extend(data, part, spread, k)), temperature))

    return predict


def _right(left_out: LeftOut, y: NDArray[np.int64]) -> int:
    """How many of the left-out items get their label; one that no label reaches does not."""
    votes = left_out.votes
    return int(np.sum((votes.argmax(axis=1) == y[left_out.chosen]) & (votes.max(axis=1) > UNREACHED)))


def _shares(votes: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, Y) -> rows that sum to 1; 1/Y where nothing arrived."""
    values = np.maximum(votes, 0.0).astype(np.float64)
    total = values.sum(axis=1, keepdims=True)
    return np.where(total > UNREACHED, values / np.maximum(total, UNREACHED), 1.0 / values.shape[1])


def _normalised(graph: sparse.csr_array) -> sparse.csr_array:
    """S = D^-1/2 W D^-1/2."""
    degree = np.maximum(np.asarray(graph.sum(axis=1)), UNREACHED)
    scale = sparse.diags_array((1.0 / np.sqrt(degree)).astype(np.float32))
    return (scale @ graph @ scale).tocsr()


def _system(normalised: sparse.csr_array, alpha: float) -> sparse.csr_array:
    identity = sparse.eye_array(normalised.shape[0], dtype=np.float32, format="csr")
    return (identity - np.float32(alpha) * normalised).tocsr()


def _sources(labels: LabelSet, n: int) -> Matrix:
    sources = np.zeros((n, len(labels.classes)), np.float32)
    sources[labels.rows] = labels.targets
    return sources
