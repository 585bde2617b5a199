"""Problems with a known truth for the simulation's tests: groups of vectors, one class a group, and strangers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.engine.pool import PoolSettings
from ml_backend.engine.simulation.lantern import LoopSettings
from ml_backend.engine.simulation.problem import Problem

GROUPS, DIMENSION = 6, 16
FAST = LoopSettings(epochs=1, pool=PoolSettings(n_components=24, latent_dim=4, device="cpu"))


def vectors(per_group: int, seed: int, groups: range = range(GROUPS)) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Unit vectors around one direction per group, and their class names; shuffled."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.array(groups), per_group))
    x = 3.0 * np.eye(DIMENSION)[group] + 0.5 * rng.normal(size=(len(group), DIMENSION))
    names = np.array([f"g{g}" for g in group], dtype=np.str_)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), names


def problem(per_group: int = 40) -> Problem:
    """Pool and test of GROUPS groups, and items of two groups that nobody has seen."""
    pool, pool_truth = vectors(per_group, seed=0)
    test, test_truth = vectors(20, seed=1)
    ood, _ = vectors(30, seed=2, groups=range(GROUPS, GROUPS + 2))
    return Problem("groups", "vector", pool, test, ood, pool_truth, test_truth)


def save(path: Path, **arrays: NDArray[np.generic]) -> Path:
    """An .npz data set of that name."""
    np.savez(path, allow_pickle=False, **arrays)
    return path
