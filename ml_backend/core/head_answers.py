"""What a fitted head says of each item, as a publication caches it, and how it joins the label store's answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.responsibilities import row_sums

TINY = 1e-6
KEPT = 8
"""Classes kept of each item."""
WEIGHT = 2.0 / 3.0
"""Share of the head (its two parts) beside the label store: equal weights of three. Held-out part of CLINC150's
training split at 150/300/600/1,500 labels: .813/.877/.895/.905 without, .823/.884/.907/.924 with it."""


@dataclass(frozen=True)
class HeadAnswers:
    """classes: Y names that the head knows. indices, values: (N, M) int32 positions in them, float32, largest first.

    rows, targets: (n,) int64 rows of the pool whose labels the head has learnt from, and those labels, (n, Y) float32.
    """

    classes: tuple[str, ...]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    targets: NDArray[np.float32]

    @staticmethod
    def of(
        classes: tuple[str, ...], p: NDArray[np.float32], rows: NDArray[np.int64], targets: NDArray[np.float32]
    ) -> HeadAnswers:
        """p: (N, Y)."""
        kept = min(KEPT, p.shape[1])
        order = np.argsort(-p, axis=1, kind="stable")[:, :kept]
        values = np.take_along_axis(p, order, axis=1)
        return HeadAnswers(classes, order.astype(np.int32), values, rows, targets)

    def take(self, rows: NDArray[np.int64]) -> HeadAnswers:
        """The answers of the rows named, in that order; the labels learnt from stay those of the pool."""
        return replace(self, indices=self.indices[rows], values=self.values[rows])

    def learnt(self, classes: tuple[str, ...]) -> NDArray[np.float64]:
        """(n, Y') the targets in the order of other classes; 0 for those that the head does not know."""
        place = self._places(classes)
        learnt = np.zeros((len(self.rows), len(classes)))
        learnt[:, place[place >= 0]] = self.targets[:, place >= 0]
        return learnt

    def joined(self, classes: tuple[str, ...], named: NDArray[np.bool_], current: NDArray[np.float32]) -> JoinedHead:
        """Ready to be blended with a label store of these classes, of the same N items.

        named: (Y',) whether a class has a label, or (N, Y') where that differs between items: a class that has lost its
        last label is no longer named. current: (N,) in [0, 1], how far what the labels say of each item's components is
        what it was when the head learnt.
        """
        indices = self._places(classes).take(self.indices)
        known = np.pad(named, [(0, 0)] * (named.ndim - 1) + [(0, 1)])  # the last place stands for "not among them" (-1)
        heard = known.take(indices, mode="wrap") if named.ndim == 1 else np.take_along_axis(known, indices, axis=1)
        values = self.values * heard
        total, everything = row_sums(values), row_sums(self.values)
        share = WEIGHT * current / np.maximum(everything, TINY)
        return JoinedHead(indices, values * share[:, None], total * share)

    def _places(self, classes: tuple[str, ...]) -> NDArray[np.int32]:
        """(Y,) positions of the head's classes in others, -1 = not among them."""
        place = {name: position for position, name in enumerate(classes)}
        return np.array([place.get(name, -1) for name in self.classes], np.int32)


@dataclass(frozen=True)
class JoinedHead:
    """indices: (N, M) positions in the label store's classes, -1 = not among them. shares: (N, M) what the head adds to
    p of them, 0 where there is none.

    weight: (N,) sum of the shares in [0, WEIGHT], less where what the labels say of the item's components has changed
    since the head learnt, so that labels count at once.
    """

    indices: NDArray[np.int32]
    shares: NDArray[np.float32]
    weight: NDArray[np.float32]

    def blend(self, p: NDArray[np.floating], start: int = 0) -> None:
        """p (m, Y) of the items from `start` on becomes (1 - w) p + w head, in place; rows go on summing to 1."""
        part = slice(start, start + len(p))
        p *= 1.0 - self.weight[part, None]
        rows = np.arange(len(p))
        for column, share in zip(self.indices[part].T, self.shares[part].T, strict=True):
            p[rows, column] += share  # an item names a class once: no two writes meet
