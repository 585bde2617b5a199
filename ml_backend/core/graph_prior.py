"""What a component without labels takes from those that a walk over the neighbour graph reaches.

tau smooths with 1/Y for every class: that is the formula, but with few labels nearly every component is nothing but
smoothing. For the label that is named, the smoothing's mass goes to q instead, what the walk brings along:
tau~[c, y] = (s[c, y] + m q[c, y]) / (n_c + m), m = alpha0 Y,
q[c, y] = (sum_d (A[c, d] s[d, y] / max(n_d, 1))^2)^(1/2), A the affinity, scaled to sum to 1 over y.
Without the cap max(n, 1), a class that was asked about often swamps the others (MNIST, 500 labels: .945 against .968).
With the plain sum instead of the root of the sum of squares, many labels far away outvote the one label nearby of a
class that has just come (`docs/method.md`, "Data that comes later").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.component_graph import ComponentGraph
from ml_backend.core.labels import resolve_alpha0
from ml_backend.core.responsibilities import SparseResponsibilities

UNREACHED = 0.03
"""Weight, in labels, of knowing nothing: where the walk reaches less than that, q is nearly 1/Y."""

AGREEMENT_EXPONENT = 3
"""How fast trust in a head falls as the labels around it change. Accuracy on the pool with labels that came since the
head learnt, exponent 1 / 2 / 3 / 5 / no head: CLINC150 .890/.890/.891/.889/.884, Android .895/.900/.906/.905/.905."""


def tau_with_prior(graph: ComponentGraph, s: NDArray[np.float64], alpha0: float | None) -> NDArray[np.float64]:
    """tau~ (K, Y), rows sum to 1; s (K, Y) soft counts."""
    mass = resolve_alpha0(alpha0, s.shape[1]) * s.shape[1]
    q = _normalised(graph.affinity**2 @ (s / _cap(s)[:, None]) ** 2)
    return np.asarray((s + mass * q) / (s.sum(axis=1, keepdims=True) + mass))


def agreement(
    graph: ComponentGraph, then: NDArray[np.float64], now: NDArray[np.float64], alpha0: float | None
) -> NDArray[np.float32]:
    """(K,) in [0, 1], 1 = what the soft counts `then` and `now`, both (K, Y), say of a component is the same.

    (1 - total variation distance of their tau~)^AGREEMENT_EXPONENT.
    """
    both = (tau_with_prior(graph, s, alpha0) for s in (then, now))
    return np.asarray(np.minimum(*both).sum(axis=1) ** AGREEMENT_EXPONENT, np.float32)


def component_reach(graph: ComponentGraph, s: NDArray[np.float64]) -> NDArray[np.float32]:
    """(K,) in [0, 1]: how near a labelled component is to each on the walk; half a label there counts half."""
    return np.asarray((graph.affinity * np.minimum(s.sum(axis=1), 1.0)).max(axis=1), np.float32)


def left_out_shift(
    graph: ComponentGraph,
    own: SparseResponsibilities,
    targets: NDArray[np.float64],
    s: NDArray[np.float64],
    alpha0: float | None,
) -> NDArray[np.float64]:
    """(n, Y) what p(y|x) of each labelled item gains by tau~ instead of tau when its own label is taken out of s.

    own, targets: of the n labelled items; s: (K, Y) from all of them. Rows sum to 0.
    """
    n_classes = s.shape[1]
    mass = resolve_alpha0(alpha0, n_classes) * n_classes
    totals, cap, squared = s.sum(axis=1), _cap(s), graph.affinity**2
    share = s / cap[:, None]
    reached = squared @ share**2
    item, label = np.nonzero(targets)
    of_item, r_of_item = own.indices[item], own.values[item].astype(np.float64)
    taken = r_of_item * targets[item, label][:, None] / cap[of_item]
    less = taken * (2.0 * share[of_item, label[:, None]] - taken)  # a^2 - (a - b)^2 = b (2 a - b)
    shift = np.zeros_like(targets)
    for m in range(own.indices.shape[1]):  # one listed component at a time: (n, M, Y) at once would be large
        component, r = own.indices[:, m], own.values[:, m].astype(np.float64)
        others = reached[component]
        others[item, label] -= (squared[component[item][:, None], of_item] * less).sum(axis=1)
        share_of_prior = mass / np.maximum(totals[component] - r + mass, mass)
        shift += (r * share_of_prior)[:, None] * (_normalised(np.maximum(others, 0.0)) - 1.0 / n_classes)
    return shift


def _cap(s: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.maximum(s.sum(axis=1), 1.0))


def _normalised(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, Y) sums of squares -> q, rows sum to 1."""
    q = np.sqrt(squares) + UNREACHED / squares.shape[1]
    return np.asarray(q / q.sum(axis=1, keepdims=True))
