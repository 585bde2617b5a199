"""What a fitted head says of each item, as a publication caches it, and how it joins the label store's answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.responsibilities import SparseResponsibilities

TINY = 1e-6
KEPT = 8
"""Classes kept of each item."""
WEIGHT = 2.0 / 3.0
"""Share of the head (its two parts) beside the label store: equal weights of three. Held-out part of CLINC150's
training split at 150/300/600/1,500 labels: .813/.877/.895/.905 without, .823/.884/.907/.924 with it."""


@dataclass(frozen=True)
class HeadAnswers:
    """classes: Y names that the head knows. indices, values: (N, M) int32 positions in them, float32, largest first.

    counts: (K, Y) soft counts of the labels that the head has learnt from.
    """

    classes: tuple[str, ...]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    counts: NDArray[np.float32]

    @staticmethod
    def of(classes: tuple[str, ...], p: NDArray[np.float32], counts: NDArray[np.float32]) -> HeadAnswers:
        """p: (N, Y)."""
        kept = min(KEPT, p.shape[1])
        order = np.argsort(-p, axis=1, kind="stable")[:, :kept]
        values = np.take_along_axis(p, order, axis=1)
        return HeadAnswers(classes, order.astype(np.int32), values, counts)

    def take(self, rows: NDArray[np.int64]) -> HeadAnswers:
        """The rows named, in that order."""
        return replace(self, indices=self.indices[rows], values=self.values[rows])

    def counts_of(self, classes: tuple[str, ...]) -> NDArray[np.float64]:
        """(K, Y') the counts in the order of other classes; 0 for those that the head does not know."""
        then = np.zeros((len(self.counts), len(classes)))
        for place, name in enumerate(classes):
            if name in self.classes:
                then[:, place] = self.counts[:, self.classes.index(name)]
        return then

    def joined(
        self,
        classes: tuple[str, ...],
        s: NDArray[np.float64],
        current: NDArray[np.float32],
        r: SparseResponsibilities,
    ) -> JoinedHead:
        """Ready to be blended with a label store of these classes and counts s (K, Y'); r: of the same N items.

        current: (K,) in [0, 1], how far what the labels say of each component is what it was when the head learnt.
        A class that has lost its last label is no longer named.
        """
        place = {name: position for position, name in enumerate(classes) if s[:, position].any()}
        columns = np.array([place.get(name, -1) for name in self.classes], np.int64)
        indices = columns[self.indices]
        values = np.where(indices >= 0, self.values, 0.0).astype(np.float32)
        total = values.sum(axis=1)
        kept = total / np.maximum(self.values.sum(axis=1), TINY)
        weight = WEIGHT * (r.values * current[r.indices]).sum(axis=1) * kept
        return JoinedHead(indices, values / np.where(total > 0, total, 1.0)[:, None], weight.astype(np.float32))


@dataclass(frozen=True)
class JoinedHead:
    """indices (N, M) positions in the label store's classes (-1 = not among them), values (N, M) summing to 1 or 0.

    weight: (N,) in [0, WEIGHT], less where what the labels say of the item's components has changed since the head
    learnt, so that labels count at once.
    """

    indices: NDArray[np.int64]
    values: NDArray[np.float32]
    weight: NDArray[np.float32]

    def blend(self, p: NDArray[np.floating], start: int = 0) -> None:
        """p (m, Y) of the items from `start` on becomes (1 - w) p + w head, in place; rows go on summing to 1."""
        part = slice(start, start + len(p))
        weight = self.weight[part, None]
        p *= 1.0 - weight
        rows = np.arange(len(p))
        for m in range(self.indices.shape[1]):  # an item names a class once: no two writes meet
            column = self.indices[part, m]
            p[rows, column] += np.where(column >= 0, weight[:, 0] * self.values[part, m], 0.0)
