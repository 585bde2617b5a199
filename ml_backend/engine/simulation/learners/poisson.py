"""Poisson learning (Calder et al. 2020): labels are sources and sinks of a Poisson equation on the neighbour graph.

L u = sum_j (y_j - mean y) delta_j. Unlike label propagation it does not degenerate at one label a class. The number of
neighbours, a leak and the class weights (as labelled, or all classes alike: the paper's s_j) are chosen by
leave-one-out on the labels given.
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
    extend,
    left_out_votes,
    neighbour_graph,
    solve,
)
from ml_backend.engine.simulation.outcome import Fitted, Outcome

NEIGHBOURS = (10, 20)
LEAKS = (1e-3, 3e-2)
"""Share of the degree added to the diagonal: the solution exists also where the graph falls into parts. The larger one
keeps labels local, which helps when there are many. Of equally good ones the first wins."""


def fit_poisson(data: Embedded, labels: LabelSet, seed: int) -> Fitted:
    """Confidence: softmax of u, calibrated by leave-one-out; the seed chooses the labels that tuning looks at."""
    graphs = {k: neighbour_graph(data, k) for k in NEIGHBOURS}
    mean = labels.targets.mean(axis=0)
    centred = labels.targets - mean
    y = labels.targets.argmax(axis=1)
    weights = (np.ones(len(mean)), mean.mean() / mean)
    tried = {
        (k, leak): left_out_votes(_system(graphs[k], leak), labels, centred, seed)
        for k, leak in product(NEIGHBOURS, LEAKS)
    }
    options = product(tried, range(len(weights)))
    (k, leak), place = max(options, key=lambda option: _right(tried[option[0]], weights[option[1]], y))
    weight = weights[place]
    sources = np.zeros((len(data.pool), len(mean)), np.float32)
    sources[labels.rows] = centred
    u = solve(_system(graphs[k], leak), sources) * weight
    spread = max(float(u.std()), 1e-12)
    best = tried[k, leak]
    temperature = fit_temperature(_softmax(best.votes * weight / spread), labels.targets[best.chosen])

    def predict(part: Part) -> Outcome:
        return Outcome.of(apply_temperature(_softmax(extend(data, part, u, k) / spread), temperature))

    return predict


def _right(left_out: LeftOut, weight: NDArray[np.float64], y: NDArray[np.int64]) -> int:
    """How many of the left-out items get their label."""
    return int(np.sum((left_out.votes * weight).argmax(axis=1) == y[left_out.chosen]))


def _system(graph: sparse.csr_array, leak: float) -> sparse.csr_array:
    """(1 + leak) D - W."""
    degree = np.maximum(np.asarray(graph.sum(axis=1)), 1e-6)
    return (sparse.diags_array(((1.0 + leak) * degree).astype(np.float32)) - graph).tocsr()


def _softmax(u: NDArray[np.floating]) -> NDArray[np.float64]:
    e = np.exp(np.asarray(u - u.max(axis=1, keepdims=True), np.float64))
    return np.asarray(e / e.sum(axis=1, keepdims=True))
