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
    """Of n items. row: (n,) int32, labelled row of the pool or NO_ROW. closeness: (n,) float32 in [0, 1], 0 = none."""

    row: NDArray[np.int32]
    closeness: NDArray[np.float32]

    @staticmethod
    def none(n: int) -> NearestLabels:
        """No label near any of n items."""
        return NearestLabels(np.full(n, NO_ROW, np.int32), np.zeros(n, np.float32))


@dataclass(frozen=True)
class LabelWays:
    """The two labelled items of the pool that are nearest to each of its N items, over at most STEPS - 1 steps.

    How near: the product of the cosines on the way; a copy of a labelled item is as near as the item itself.
    sources: (N, 2) int32, different rows, NO_ROW = none. closeness: (N, 2) float32 in [0, 1], the nearest first; 1 for
    a labelled item and its copies, 0 where no way leads to one.
    """

    sources: NDArray[np.int32]
    closeness: NDArray[np.float32]

    @staticmethod
    def of(description: PoolDescription, rows: NDArray[np.int64]) -> LabelWays:
        """description: of the pool. rows: (n,) its labelled rows."""
        sources = _on_the_same_place(description.places, np.sort(rows))
        ways = LabelWays(sources, np.where(sources == NO_ROW, np.float32(0.0), np.float32(1.0)))
        for _ in range(STEPS - 1):
            ways = ways._a_step_more(description)
        return ways

    def nearest(self, description: PoolDescription, rows: NDArray[np.int64] | None = None) -> NearestLabels:
        """Over 1 to STEPS steps. description: of n items whose neighbours point into the pool.

        rows: (n,) the items themselves, if they are of the pool: no item is its own nearest label.
        """
        found = NearestLabels.none(len(description))
        if not description.neighbours.shape[1]:
            return found
        closest, source = self.closeness[:, 0].copy(), self.sources[:, 0].copy()
        for items in _parts(self._reached(description)):
            neighbours = description.neighbours.take(items, axis=0)
            near = _cosines(description, items) * closest.take(neighbours, mode="wrap")
            best = (np.arange(len(items)), near.argmax(axis=1))
            found.closeness[items] = near[best]
            found.row[items] = np.where(near[best] > 0.0, source[neighbours[best]], NO_ROW)
        if rows is not None:
            for items in _parts(np.flatnonzero(source[rows] == rows)):  # the labelled ones: their own way is the best
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
        return np.flatnonzero(known.take(description.neighbours, mode="wrap").any(axis=1))

    def _over(
        self, description: PoolDescription, items: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """(m, 2 k) sources and closeness of some items by the ways of each of their neighbours."""
        neighbours = description.neighbours.take(items, axis=0)
        sources = self.sources.take(neighbours, axis=0, mode="wrap")
        near = _cosines(description, items)[:, :, None] * self.closeness.take(neighbours, axis=0, mode="wrap")
        return sources.reshape(len(items), -1), near.reshape(len(items), -1)


class PoolWays:
    """The ways to labelled rows of one pool, made once for each set of rows: a project's stores often share one."""

    def __init__(self, description: PoolDescription) -> None:
        """description: of the pool."""
        self._description = description
        self._made: dict[bytes, LabelWays] = {}

    def to(self, rows: NDArray[np.int64]) -> LabelWays:
        """rows: (n,) labelled rows of the pool, in any order."""
        key = np.sort(rows).tobytes()
        if key not in self._made:
            self._made[key] = LabelWays.of(self._description, rows)
        return self._made[key]


def _on_the_same_place(places: NDArray[np.int32], rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """(N, 2) two labelled rows that lie where each item lies, NO_ROW = none: a labelled item's own is its first.

    Of hundreds of copies all have the same few as neighbours, and the labelled one may be nobody's.
    """
    n = len(places)
    first, second = np.full(n, NO_ROW, np.int32), np.full(n, NO_ROW, np.int32)
    first[places[rows[::-1]]] = rows[::-1]
    others = rows[first[places[rows]] != rows]
    second[places[others[::-1]]] = others[::-1]
    found = np.stack([first[places], second[places]], axis=1)
    found[others] = np.stack([others, first[places[others]]], axis=1)
    return found


def _cosines(description: PoolDescription, items: NDArray[np.int64]) -> NDArray[np.float32]:
    """(m, k) float32 in [0, 1], of the neighbours of some items; 0 = no neighbour, or none alike."""
    return np.clip(description.similarities.take(items, axis=0), 0.0, 1.0)


def _largest(sources: NDArray[np.int32], near: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(m,) source and closeness of the nearest of each row; NO_ROW and 0 where nothing is near. Both (m, w >= 1)."""
    best = near.argmax(axis=1)[:, None]
    closeness = np.take_along_axis(near, best, axis=1)[:, 0]
    return np.where(closeness > 0, np.take_along_axis(sources, best, axis=1)[:, 0], np.int32(NO_ROW)), closeness


def _parts(items: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
