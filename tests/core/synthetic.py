"""Data with a known truth for the model's tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet


def blobs(
    n: int, n_classes: int, dim: int, *, seed: int, noise: float = 0.35
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """n vectors around one random unit direction a class; class i % n_classes."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(n_classes, dim))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    y = np.arange(n) % n_classes
    return (centres[y] + noise / dim**0.5 * random.normal(size=(n, dim))).astype(np.float32), y


def bars(n: int, *, seed: int, size: int = 12) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Grey pictures (n, 1, size, size): horizontal, vertical, or diagonal bar at a random place, with pixel noise."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = random.integers(0, 40, size=(n, 1, size, size))
    for i, kind in enumerate(y):
        place = int(random.integers(2, size - 3))
        if kind == 0:
            x[i, 0, place : place + 2, 1:-1] = 220
        elif kind == 1:
            x[i, 0, 1:-1, place : place + 2] = 220
        else:
            steps = np.arange(1, size - 1)
            x[i, 0, steps, np.clip(steps + place - size // 2, 0, size - 1)] = 220
    return x.astype(np.uint8), y


def cosine_neighbours(x: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """(n, k) nearest others by cosine, by brute force."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1)[:, :k].astype(np.int32)


def label_set(rows: NDArray[np.int64], y: NDArray[np.int64], n_classes: int, name: str = "kind") -> LabelSet:
    """One annotator's labels of those rows."""
    return LabelSet(name, tuple(f"class {i}" for i in range(n_classes)), rows, np.eye(n_classes)[y[rows]])
