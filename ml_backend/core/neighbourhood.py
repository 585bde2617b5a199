"""The labelled items nearest to each item, along the neighbour graph: among copies, the label is seldom next door."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription

STEPS = 3
"""Longest way to a label, in steps from neighbour to neighbour: an item has 15 of them, a class ten times as many."""

NO_ROW = -1
CHUNK = 16_384
"""Items whose (n, 2 k) ways exist at a time."""


@dataclass(frozen=True)
class NearestLabels:
    """Of n items. row: (n,) int64, labelled row of the pool or NO_ROW. closeness: (n,) float32 in [0, 1], 0 = none."""

    row: NDArray[np.int64]
    closeness: NDArray[np.float32]

    @staticmethod
    def none(n: int) -> NearestLabels:
        """No label near any of n items."""
        return NearestLabels(np.full(n, NO_ROW, np.int64), np.zeros(n, np.float32))


@dataclass(frozen=True)
class LabelWays:
    """The two labelled items of the pool that are nearest to each of its N items, over at most STEPS - 1 steps.

    How near: the product of the cosines on the way. sources: (N, 2) int64, different rows, NO_ROW = none.
    closeness: (N, 2) float32 in [0, 1], the nearest first; 1 for a labelled item itself, 0 where no way leads to one.
    """

    sources: NDArray[np.int64]
    closeness: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.sources)

    @staticmethod
    def of(description: PoolDescription, rows: NDArray[np.int64]) -> LabelWays:
        """description: of the pool. rows: (n,) its labelled rows."""
        sources = np.full((len(description), 2), NO_ROW, np.int64)
        closeness = np.zeros((len(description), 2), np.float32)
        sources[rows, 0], closeness[rows, 0] = rows, 1.0
        ways = LabelWays(sources, closeness)
        for _ in range(STEPS - 1):
            ways = ways._a_step_more(description)
        return ways

    def nearest(self, description: PoolDescription, rows: NDArray[np.int64] | None = None) -> NearestLabels:
        """Over 1 to STEPS steps. description: of n items whose neighbours point into the pool.

        rows: (n,) the items themselves, if they are of the pool: no item is its own nearest label.
        """
        found = NearestLabels.none(len(description))
        closest, source = self.closeness[:, 0].copy(), self.sources[:, 0]
        for items in _parts(self._reached(description)):
            neighbours = description.neighbours[items]
            near = _cosines(description, items) * closest[neighbours]
            best = (np.arange(len(items)), near.argmax(axis=1))
            found.closeness[items] = near[best]
            found.row[items] = np.where(near[best] > 0.0, source[neighbours[best]], NO_ROW)
        if rows is not None:
            for items in _parts(np.flatnonzero(source[rows] == rows)):
                sources, near = self._over(description, items)
                near = np.where(sources == rows[items, None], np.float32(0.0), near)
                found.row[items], found.closeness[items] = _largest(sources, near)
        return found

    def _a_step_more(self, description: PoolDescription) -> LabelWays:
        sources, closeness = self.sources.copy(), self.closeness.copy()
        for items in _parts(self._reached(description)):
            beyond, near = self._over(description, items)
            beyond = np.concatenate([self.sources[items], beyond], axis=1)
            near = np.concatenate([self.closeness[items], near], axis=1)
            sources[items, 0], closeness[items, 0] = _largest(beyond, near)
            others = np.where(beyond == sources[items, :1], np.float32(0.0), near)
            sources[items, 1], closeness[items, 1] = _largest(beyond, others)
        return LabelWays(sources, closeness)

    def _reached(self, description: PoolDescription) -> NDArray[np.int64]:
        """Items from whose neighbours a way leads on: few, as long as labels are."""
        known = np.append(self.closeness[:, 0] > 0.0, False)  # the last place stands for "no neighbour" (-1)
        return np.flatnonzero(known[description.neighbours].any(axis=1))

    def _over(
        self, description: PoolDescription, items: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(m, 2 k) sources and closeness of some items by the ways of each of their neighbours."""
        neighbours = description.neighbours[items]
        near = _cosines(description, items)[:, :, None] * self.closeness[neighbours]
        return self.sources[neighbours].reshape(len(items), -1), near.reshape(len(items), -1)


def _cosines(description: PoolDescription, items: NDArray[np.int64]) -> NDArray[np.float32]:
    """(m, k) float32 in [0, 1], of the neighbours of some items; 0 = no neighbour, or none alike."""
    cosine = np.clip(description.similarities[items], 0.0, 1.0)
    return np.where(description.neighbours[items] >= 0, cosine, np.float32(0.0))


def _largest(sources: NDArray[np.int64], near: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(m,) source and closeness of the nearest of each row; NO_ROW and 0 where nothing is near. Both (m, w >= 1)."""
    best = near.argmax(axis=1)[:, None]
    closeness = np.take_along_axis(near, best, axis=1)[:, 0]
    return np.where(closeness > 0, np.take_along_axis(sources, best, axis=1)[:, 0], NO_ROW), closeness


def _parts(items: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
