"""The same data in 1,536 dimensions: a random rotation with noise in the new ones must not cost accuracy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.sessions import main_budget, session
from benchmarks.label_efficiency.store import SavedCell

LABELS = 300
SEEDS = 5
DIMENSIONS = 1536
NOISE = 0.01
"""Standard deviation in each new dimension; 1,152 of them add a tenth to the squared length of 1."""


def cases(_data: str) -> list[Case]:
    """The seeds of the main table."""
    options = {"labels": LABELS, "dimensions": DIMENSIONS, "noise": NOISE}
    return [Case(f"seed{seed}", {"seed": seed, **options}) for seed in range(SEEDS)]


def run(bench: Bench, case: Case) -> SavedCell:
    """Accuracy lifted, as given, and the difference with this seed."""
    seed, budget = case.options["seed"], case.options["labels"]
    problem = bench.problem()
    rise = Lift(problem.pool.shape[1], case.options["dimensions"], case.options["noise"], seed)
    lifted = replace(problem, pool=rise(problem.pool), test=rise(problem.test), ood=rise(problem.ood))
    there = session(lifted, budget, seed, bench.loop).figures["accuracy_test"]
    here = main_budget(bench, budget, seed).figures["accuracy_test"]
    assert here is not None
    return SavedCell({"accuracy_lifted": there, "accuracy_as_given": here, "difference": there - here})


class Lift:
    """Rows with noise dimensions appended, all rotated at random."""

    def __init__(self, given: int, dimensions: int, noise: float, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._noise, self._added = noise, dimensions - given
        self._rotation = np.linalg.qr(self._random.normal(size=(dimensions, dimensions)))[0].astype(np.float32)

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, given) -> (n, dimensions)."""
        noise = self._noise * self._random.standard_normal((len(rows), self._added), dtype=np.float32)
        return np.asarray(np.concatenate([rows, noise], axis=1) @ self._rotation, np.float32)


EXPERIMENT = Experiment("lifted", ("clinc150",), cases, run)
