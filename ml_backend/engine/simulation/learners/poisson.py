"""Poisson learning (Calder et al. 2020): labels are sources and sinks of a Poisson equation on the neighbour graph.

L u = sum_j (y_j - mean y) delta_j. Unlike label propagation it does not degenerate at one label a class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml_backend.core.calibration import apply_temperature, fit_temperature
from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import Embedded, Part
from ml_backend.engine.simulation.learners.graph import extend, left_out_votes, neighbour_graph, solve
from ml_backend.engine.simulation.outcome import Fitted, Outcome

NEIGHBOURS = 10
LEAK = 1e-3
"""Share of the degree added to the diagonal: the solution exists also where the graph falls into parts."""


def fit_poisson(data: Embedded, labels: LabelSet, seed: int) -> Fitted:
    """Confidence: softmax of u, calibrated by leave-one-out; the seed chooses the labels that this looks at."""
    graph = neighbour_graph(data, NEIGHBOURS)
    degree = np.maximum(np.asarray(graph.sum(axis=1)), 1e-6)
    laplacian = sparse.diags_array(((1.0 + LEAK) * degree).astype(np.float32)) - graph
    sources = np.zeros((len(data.pool), len(labels.classes)), np.float32)
    centred = labels.targets - labels.targets.mean(axis=0)
    sources[labels.rows] = centred
    u = solve(laplacian.tocsr(), sources)
    spread = max(float(u.std()), 1e-12)
    left_out = left_out_votes(laplacian.tocsr(), labels, centred, seed)
    temperature = fit_temperature(_softmax(left_out.votes / spread), labels.targets[left_out.chosen])

    def predict(part: Part) -> Outcome:
        return Outcome.of(apply_temperature(_softmax(extend(data, part, u, NEIGHBOURS) / spread), temperature))

    return predict


def _softmax(u: NDArray[np.floating]) -> NDArray[np.float64]:
    e = np.exp(np.asarray(u - u.max(axis=1, keepdims=True), np.float64))
    return np.asarray(e / e.sum(axis=1, keepdims=True))
