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
        source, closeness = np.full(len(description), NO_ROW, np.int64), np.zeros(len(description), np.float32)
        for part in _parts(len(description)):
            sources, near = self._from_neighbours(description, part)
            if rows is not None:
                near = np.where(sources == rows[part, None], np.float32(0.0), near)
            source[part], closeness[part] = _largest(sources, near)
        return NearestLabels(source, closeness)

    def _a_step_more(self, description: PoolDescription) -> LabelWays:
        sources, closeness = np.empty_like(self.sources), np.empty_like(self.closeness)
        for part in _parts(len(self)):
            beyond = self._from_neighbours(description, part)
            reached = np.concatenate([self.sources[part], beyond[0]], axis=1)
            near = np.concatenate([self.closeness[part], beyond[1]], axis=1)
            sources[part, 0], closeness[part, 0] = _largest(reached, near)
            others = np.where(reached == sources[part, :1], np.float32(0.0), near)
            sources[part, 1], closeness[part, 1] = _largest(reached, others)
        return LabelWays(sources, closeness)

    def _from_neighbours(
        self, description: PoolDescription, part: slice
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(m, 2 k) sources and closeness of the ways of some items over each of their neighbours."""
        neighbours = description.neighbours[part]
        cosine = np.where(neighbours >= 0, np.clip(description.similarities[part], 0.0, 1.0), 0.0)
        near = cosine[:, :, None].astype(np.float32) * self.closeness[neighbours]
        return self.sources[neighbours].reshape(len(neighbours), -1), near.reshape(len(neighbours), -1)


def nearness(description: PoolDescription, labelled: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(N,) in [0, 1]: the largest product of cosines on a way of at most STEPS steps to a labelled item of the pool.

    1 for labelled items themselves, 0 where no way leads to one. labelled: (N,), of the pool that is described.
    """
    near = LabelWays.of(description, np.flatnonzero(labelled)).nearest(description)
    return np.where(labelled, np.float32(1.0), near.closeness)


def _largest(sources: NDArray[np.int64], near: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(m,) source and closeness of the nearest of each row; NO_ROW and 0 where nothing is near. Both (m, w)."""
    if not near.shape[1]:
        return np.full(len(near), NO_ROW, np.int64), np.zeros(len(near), np.float32)
    best = near.argmax(axis=1)[:, None]
    closeness = np.take_along_axis(near, best, axis=1)[:, 0]
    return np.where(closeness > 0, np.take_along_axis(sources, best, axis=1)[:, 0], NO_ROW), closeness


def _parts(n: int) -> list[slice]:
    return [slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]
