"""Nearest neighbours by cosine, through faiss: exact for small pools, inverted lists for large ones.

Rows are expected L2-normalised (then the inner product is the cosine). faiss keeps the only copy: rows are handed over
in blocks. Never search in a process that will fork later: a faiss search in a child forked after the parent had
searched hangs.
"""

from __future__ import annotations

import math
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from ml_backend.errors import InputError

EXACT_BELOW = 20_000
"""Items up to which every pair is compared."""

BLOCK_ROWS = 8192
"""Rows handed to faiss at once: bounds the temporary float32 copy."""

LISTS_PER_SQRT = 2.0
"""Inverted lists = 2 sqrt(N)."""

PROBES = 10
"""Inverted lists that a query visits; more is slower and finds more of the true neighbours."""

TRAINING_ROWS_PER_LIST = 40

NO_NEIGHBOUR = -1


class FeatureRows(Protocol):
    """A matrix (N, F), or something that makes blocks of its rows when asked."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> NDArray[np.floating]: ...


Neighbours = tuple[NDArray[np.int32], NDArray[np.float32]]


class NeighbourIndex:
    """A growing set of rows that answers "which k rows are most like this one?"."""

    def __init__(self, features: FeatureRows, *, exact_below: int = EXACT_BELOW) -> None:
        """features: (N, F), finite, rows L2-normalised. Raises InputError otherwise."""
        _check(features, None)
        self._index = _empty_index(features, exact_below)
        self.dimension = features.shape[1]
        self.add(features)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, features: FeatureRows) -> None:
        """Append rows; they get the next row numbers."""
        _check(features, self.dimension)
        for start in range(0, len(features), BLOCK_ROWS):
            self._index.add(_block(features, start))

    def search(self, features: FeatureRows, k: int) -> Neighbours:
        """The k nearest rows of each query, nearest first: (indices (n, k) int32, cosines (n, k) float32).

        Where fewer than k rows are found the rest is -1 with cosine 0.
        """
        _check(features, self.dimension)
        return self._search(features, k)

    def neighbours(self, features: FeatureRows, k: int, *, first_row: int = 0) -> Neighbours:
        """As `search` for rows that are IN the index, as first_row, first_row + 1, ..: none is its own neighbour."""
        _check(features, self.dimension)
        indices, similarities = self._search(features, k + 1)
        return _without_self(indices, similarities, first_row)

    def _search(self, features: FeatureRows, k: int) -> Neighbours:
        if k < 0:
            raise InputError(f"k {k} must not be negative")
        indices = np.full((len(features), k), NO_NEIGHBOUR, np.int32)
        similarities = np.zeros((len(features), k), np.float32)
        found = min(k, len(self))
        for start in range(0, len(features) if found else 0, BLOCK_ROWS):
            cosine, index = self._index.search(_block(features, start), found)
            part = slice(start, start + len(index))
            indices[part, :found] = index
            similarities[part, :found] = np.where(index < 0, 0.0, np.clip(cosine, -1.0, 1.0))
        return indices, similarities


def neighbours(features: FeatureRows, k: int, *, exact_below: int = EXACT_BELOW) -> Neighbours:
    """The k nearest other rows of each row: (indices (N, k) int32, -1 = none; cosines (N, k) float32, 0 where none)."""
    return NeighbourIndex(features, exact_below=exact_below).neighbours(features, k)


def linked_back(
    neighbours: NDArray[np.int32],
    similarities: NDArray[np.float32],
    near: NDArray[np.int32],
    similar: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Neighbours of old and new rows: an old row takes in the new rows that name it, where they are nearer."""
    first, k = len(neighbours), near.shape[1]
    joined, cosine = np.concatenate([neighbours, near]), np.concatenate([similarities, similar])
    for new, (rows, values) in enumerate(zip(near, similar, strict=True)):
        for row, value in zip(rows, values, strict=True):
            if 0 <= row < first:
                place = int(np.sum((joined[row] >= 0) & (cosine[row] >= value)))
                if place < k:
                    joined[row, place + 1 :], cosine[row, place + 1 :] = joined[row, place:-1], cosine[row, place:-1]
                    joined[row, place], cosine[row, place] = first + new, value
    return joined, cosine


def _empty_index(features: FeatureRows, exact_below: int) -> faiss.Index:
    n, dimension = features.shape
    if n <= max(exact_below, 1):
        return faiss.IndexFlatIP(dimension)
    lists = max(1, min(n, round(LISTS_PER_SQRT * math.sqrt(n))))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.min_points_per_centroid, index.cp.spherical = 0, 1, True
    index.nprobe = min(PROBES, lists)
    step = max(1, n // (lists * TRAINING_ROWS_PER_LIST))
    index.train(np.ascontiguousarray(features[::step], dtype=np.float32))
    return index


def _block(features: FeatureRows, start: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(features[start : start + BLOCK_ROWS], dtype=np.float32)


def _without_self(indices: NDArray[np.int32], similarities: NDArray[np.float32], first_row: int) -> Neighbours:
    """Drops the row itself where it was found, else (as many duplicates came first) the last one."""
    n, width = indices.shape
    own = indices == (first_row + np.arange(n, dtype=np.int32))[:, None]
    drop = np.where(own.any(axis=1), own.argmax(axis=1), width - 1)
    keep = np.arange(width)[None, :] != drop[:, None]
    return indices[keep].reshape(n, width - 1), similarities[keep].reshape(n, width - 1)


def _check(features: FeatureRows, dimension: int | None) -> None:
    if len(features.shape) != 2 or features.shape[1] == 0:
        raise InputError(f"features of shape {features.shape} are not (N, F) with F > 0")
    if dimension is not None and features.shape[1] != dimension:
        raise InputError(f"features have {features.shape[1]} dimensions, the index has {dimension}")
    for start in range(0, len(features), BLOCK_ROWS):
        if not np.isfinite(features[start : start + BLOCK_ROWS]).all():
            raise InputError("features hold NaN or infinity")
