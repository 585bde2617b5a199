"""A problem as the baselines see it: rows of length 1 and their neighbour graph, made once and shared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.index import NeighbourIndex, Neighbours
from ml_backend.engine.simulation.problem import Items, Problem

Part = Literal["pool", "test", "ood"]
PARTS: tuple[Part, ...] = ("pool", "test", "ood")

NEIGHBOURS = 20
"""The most neighbours that a baseline's graph uses."""

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Embedded:
    """rows: of each part, (n, F) float32 of length 1: embeddings as given, pictures as their pixels."""

    rows: dict[Part, Rows]

    @staticmethod
    def of(problem: Problem) -> Embedded:
        """The same embeddings that Lantern gets."""
        return Embedded({"pool": _unit(problem.pool), "test": _unit(problem.test), "ood": _unit(problem.ood)})

    @property
    def pool(self) -> Rows:
        """The rows of the pool."""
        return self.rows["pool"]

    @cached_property
    def _index(self) -> NeighbourIndex:
        return NeighbourIndex(self.pool)

    @cached_property
    def _pool_neighbours(self) -> Neighbours:
        return self._index.neighbours(self.pool, NEIGHBOURS)

    @cached_property
    def _outside_neighbours(self) -> dict[Part, Neighbours]:
        return {part: self._index.search(self.rows[part], NEIGHBOURS) for part in ("test", "ood")}

    def neighbours(self, part: Part) -> Neighbours:
        """The nearest rows of the POOL, itself excluded: (n, NEIGHBOURS) int32 (-1 = none) and cosines."""
        return self._pool_neighbours if part == "pool" else self._outside_neighbours[part]

    def knn_novelty(self, part: Part, k: int) -> NDArray[np.float32]:
        """(n,) 1 - cosine to the k-th neighbour in the pool (Sun et al. 2022), HIGH = novel. k: 1..NEIGHBOURS."""
        return np.asarray(1.0 - self.neighbours(part)[1][:, k - 1], np.float32)

    @cached_property
    def typicality(self) -> NDArray[np.float32]:
        """(N,) mean cosine of a pool item to its neighbours, HIGH = typical (TypiClust)."""
        return np.asarray(self._pool_neighbours[1].mean(axis=1), np.float32)

    @cached_property
    def scaled(self) -> dict[Part, Rows]:
        """Rows with the pool's mean taken off and a mean square length of 1 in the pool: what a linear model likes."""
        mean = self.pool.mean(axis=0, dtype=np.float64).astype(np.float32)
        length = float(np.sqrt(np.mean(np.square(self.pool - mean).sum(axis=1))))
        return {part: (rows - mean) / max(length, 1e-12) for part, rows in self.rows.items()}


def _unit(items: Items) -> Rows:
    rows = items.reshape(len(items), int(np.prod(items.shape[1:]))).astype(np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0), np.float32)
