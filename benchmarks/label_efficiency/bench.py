"""One data file as labelling problems, each made when it is first needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.label_efficiency.store import CellKey, SavedCell, Store
from ml_backend.data.dataset import Dataset, read_dataset
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.problem import Problem, make_problem
from ml_backend.errors import InputError

KEPT = 2
"""Problems kept in memory: the usual one and the one in work."""


@dataclass(frozen=True)
class Variant:
    """pool_items: so many items of the pool, drawn once; None = all. The others are those of `make_problem`."""

    pool_items: int | None = None
    ood_labels: tuple[str, ...] = ()
    oos_in_pool: bool = False


WHOLE = Variant()


@dataclass
class Bench:
    """path: the data file. store: where finished cells are. loop: Lantern's settings."""

    path: Path
    store: Store
    loop: LoopSettings = field(default_factory=LoopSettings)
    _problems: dict[Variant, tuple[Problem, Embedded]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.path.stem

    @cached_property
    def data_digest(self) -> str:
        """Of the file's content: other data of the same name have other figures. Raises InputError without the file."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()[:12]
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error

    @cached_property
    def dataset(self) -> Dataset:
        """The file as it is read."""
        return read_dataset(self.path)

    def problem(self, variant: Variant = WHOLE) -> Problem:
        """The data set as a labelling problem."""
        return self._made(variant)[0]

    def embedded(self, variant: Variant = WHOLE) -> Embedded:
        """The same as baselines see it."""
        return self._made(variant)[1]

    def ensure(self, key: CellKey, make: Callable[[], SavedCell]) -> SavedCell:
        """The finished cell, made now unless it was before."""
        with self.store.claim(key):
            if not self.store.has(key):
                self.store.save(key, make())
        return self.store.load(key)

    def _made(self, variant: Variant) -> tuple[Problem, Embedded]:
        if variant not in self._problems:
            while len(self._problems) >= KEPT:
                self._problems.pop(next(reversed(self._problems)))
            made = make_problem(self.dataset, ood_labels=variant.ood_labels, oos_in_pool=variant.oos_in_pool)
            problem = draw_pool(made, variant.pool_items)
            self._problems[variant] = problem, Embedded.of(problem)
        return self._problems[variant]


def draw_pool(problem: Problem, items: int | None) -> Problem:
    """The problem with a smaller pool, the same for every method and seed."""
    if items is None or items >= len(problem.pool):
        return problem
    rows = np.sort(np.random.default_rng(0).choice(len(problem.pool), items, replace=False))
    return replace(problem, pool=problem.pool[rows], pool_truth=problem.pool_truth[rows])
