"""Small data sets with a known truth for the tests of simulation and propagation."""

from __future__ import annotations

from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.dataset import Dataset, hide_oos_labels
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.problem import Problem, make_problem
from tests.core.synthetic import blobs

CLASSES = ("ant", "bee", "cat", "dog")
DIM = 12


def blob_dataset(
    n: int = 200, *, seed: int = 0, noise: float = 0.6, test: int = 0, oos: int = 0, classes: tuple[str, ...] = CLASSES
) -> Dataset:
    """n items of the pool (splits train and val by turns), `test` of split test, `oos` far away of split oos_test."""
    x, y = blobs(n + test, len(classes), DIM, seed=seed, noise=noise)
    random = np.random.default_rng(seed + 1)
    far = random.normal(size=(oos, DIM)) * 3.0
    split = np.array([("train", "val")[i % 2] for i in range(n)] + ["test"] * test + ["oos_test"] * oos)
    labels = np.array([classes[c] for c in y] + ["secret"] * oos)
    has_split = bool(test or oos)
    return hide_oos_labels(
        Dataset(
            "blobs",
            x=np.concatenate([x, far]).astype(np.float32),
            y=labels,
            split=split if has_split else None,
        )
    )


class BlobOptions(TypedDict, total=False):
    """Arguments of `blob_dataset`."""

    n: int
    seed: int
    noise: float
    test: int
    oos: int
    classes: tuple[str, ...]


def blob_problem(**options: Unpack[BlobOptions]) -> tuple[Problem, Embedded]:
    """The same as a problem, and as the baselines see it."""
    problem = make_problem(blob_dataset(**options))
    return problem, Embedded.of(problem)


def rows_per_class(problem: Problem, per_class: int) -> NDArray[np.int64]:
    """The first few pool rows of each class."""
    found = [np.flatnonzero(problem.pool_truth == name)[:per_class] for name in np.unique(problem.pool_truth)]
    return np.concatenate(found)
