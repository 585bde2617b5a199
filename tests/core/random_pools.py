"""Small random responsibilities, targets and descriptions with a known truth."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.responsibilities import SparseResponsibilities


def responsibilities(
    rng: np.random.Generator, n: int, k: int, top_m: int | None = None, temperature: float = 1.0
) -> SparseResponsibilities:
    """Rows between flat and crisp."""
    logits = (rng.normal(size=(n, k)) * rng.uniform(0.1, 5.0, (n, 1))).astype(np.float32)
    return SparseResponsibilities.from_logits(logits, top_m=top_m or k, temperature=temperature)


def targets(rng: np.random.Generator, n: int, y: int) -> NDArray[np.float64]:
    """Some unanimous, some split between annotators."""
    votes = rng.multinomial(rng.integers(1, 4), np.full(y, 1 / y), n).astype(np.float64)
    totals: NDArray[np.float64] = votes.sum(axis=1, keepdims=True)
    return votes / totals


def dense(r: SparseResponsibilities) -> NDArray[np.float64]:
    """(N, K), zeros where nothing is listed."""
    full = np.zeros((len(r), r.n_components))
    np.put_along_axis(full, r.indices.astype(np.int64), r.values.astype(np.float64), axis=1)
    return full


def description(r: SparseResponsibilities, points: NDArray[np.float64], k: int = 5) -> PoolDescription:
    """Neighbours by brute force over points (N, F); density and novelty by their mean cosine."""
    unit = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    near = np.argsort(-cosine, axis=1)[:, :k]
    similar = np.take_along_axis(cosine, near, axis=1)
    rank = (np.argsort(np.argsort(similar.mean(axis=1))) + 1) / len(points)
    return PoolDescription(
        responsibilities=r,
        neighbours=near.astype(np.int32),
        similarities=similar,
        density=rank.astype(np.float32),
        novelty=rank.astype(np.float32),
        aleatoric=np.ones(len(points), np.float32),
    )


seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 30)
components = st.integers(2, 9)
classes = st.integers(1, 6)
