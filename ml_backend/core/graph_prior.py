"""What a component without labels takes from those that speak for it, by a walk over the neighbour graph or a cosine.

tau smooths with 1/Y for every class: that is the formula, but with few labels nearly every component is nothing but
smoothing. For the label that is named, the smoothing's mass goes to q instead, what the affinity brings along:
tau~[c, y] = (s[c, y] + m q[c, y]) / (n_c + m), m = alpha0 Y,
q[c, y] = (sum_d (A[c, d] s[d, y] / max(n_d, 1))^2)^(1/2), A the affinity, scaled to sum to 1 over y.
Without the cap max(n, 1), a class that was asked about often swamps the others (MNIST, 500 labels: .945 against .968).
With the plain sum instead of the root of the sum of squares, many labels far away outvote the one label nearby of a
class that has just come (`docs/method.md`, "Data that comes later").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.component_graph import ComponentGraph
from ml_backend.core.labels import resolve_alpha0
from ml_backend.core.responsibilities import SparseResponsibilities

UNREACHED = 0.03
"""Weight, in labels, of knowing nothing: where the affinity brings less than that, q is nearly 1/Y."""

AGREEMENT_EXPONENT = 3
"""How fast trust in a head falls as the labels around it change. Accuracy on the pool with labels that came since the
head learnt, exponent 1 / 2 / 3 / 5 / no head: CLINC150 .890/.890/.891/.889/.884, Android .895/.900/.906/.905/.905."""


@dataclass(frozen=True)
class GraphCounts:
    """The labels of one store on the graph's components.

    s: (K, Y) soft counts. mass: > 0, the prior's weight in labels, alpha0 Y.
    """

    graph: ComponentGraph
    s: NDArray[np.float64]
    mass: float

    @staticmethod
    def of(graph: ComponentGraph, s: NDArray[np.float64], alpha0: float | None) -> GraphCounts:
        """s: (K, Y). alpha0: smoothing per class, None = 1/Y."""
        return GraphCounts(graph, s, resolve_alpha0(alpha0, s.shape[1]) * s.shape[1])

    @cached_property
    def tau(self) -> NDArray[np.float64]:
        """tau~ (K, Y), rows sum to 1."""
        return self._tau(self.s, self.s.sum(axis=1), self._brought)

    @cached_property
    def reach(self) -> NDArray[np.float32]:
        """(K,) in [0, 1]: how near a labelled component is to each on the walk; half a label there counts half."""
        return np.asarray((self.graph.affinity * np.minimum(self.s.sum(axis=1), 1.0)).max(axis=1), np.float32)

    def left_out(self, own: SparseResponsibilities, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, M, Y) tau~ of each item's listed components as it is without the item's own label; rows sum to 1.

        own: of n items. targets: (n, Y) what s holds of each of them; a row of zeros if it holds nothing. Takes n M Y
        numbers a few times over: for some items at a time.
        """
        component = own.indices
        s = self.s.take(component, axis=0)
        s -= own.values.astype(np.float64)[:, :, None] * targets[:, None, :]
        np.maximum(s, 0.0, out=s)
        totals = s.sum(axis=2)
        change = _squared_share(s, totals)
        change -= self._squared_share.take(component, axis=0)
        brought = self.graph.squared_affinity[component[:, :, None], component[:, None, :]] @ change
        brought += self._brought.take(component, axis=0)
        return self._tau(s, totals, np.maximum(brought, 0.0, out=brought))

    @cached_property
    def _squared_share(self) -> NDArray[np.float64]:
        return _squared_share(self.s, self.s.sum(axis=1))

    @cached_property
    def _brought(self) -> NDArray[np.float64]:
        """(K, Y) sum of squares of what the walk brings along."""
        return np.asarray(self.graph.squared_affinity @ self._squared_share)

    def _tau(
        self, s: NDArray[np.float64], totals: NDArray[np.float64], brought: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """tau~ (..., Y) from soft counts (..., Y), their totals (...) and what the walk brings (..., Y)."""
        q = np.sqrt(brought)
        q += UNREACHED / s.shape[-1]
        q *= self.mass / q.sum(axis=-1, keepdims=True)
        q += s
        q /= (totals + self.mass)[..., None]
        return np.asarray(q)


def agreement(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float32]:
    """(...) in [0, 1], 1 = two tau~ (..., Y) say the same of a component.

    (1 - total variation distance)^AGREEMENT_EXPONENT.
    """
    return np.asarray(np.minimum(one, other).sum(axis=-1) ** AGREEMENT_EXPONENT, np.float32)


def _squared_share(s: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., Y) (s / max(n, 1))^2 from s (..., Y) and n (...)."""
    share = s / np.maximum(totals, 1.0)[..., None]
    return np.asarray(np.square(share, out=share))
