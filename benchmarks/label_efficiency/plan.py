"""What is run on which data: methods, budgets, seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

import ml_backend
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.problem import Problem

T = TypeVar("T")

METHODS = (
    "lantern",
    "random+logreg",
    "random+labelspreading",
    "random+poisson",
    "typiclust+logreg",
    "margin+logreg",
    "medoid+kmeans+tau",
    "medoid+gmm+tau",
    "lantern+logreg",
    "lantern+knn",
    "lantern+labelspreading",
    "lantern+poisson",
    "lantern+kmeans+tau",
    "lantern+gmm+tau",
)
"""Lantern first: `lantern+..` take the labels that it asked for."""

BUDGETS = {"clinc150": (150, 300, 600, 1500), "mnist": (10, 50, 100, 500), "loghub": (100,)}
SEEDS = {"clinc150": 5, "mnist": 3, "loghub": 5}
"""By the beginning of the data's name."""
OTHER_BUDGETS, OTHER_SEEDS = (50, 100, 300), 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Of one data set. pool_items: so many items of the pool, drawn once; None = all."""

    budgets: tuple[int, ...]
    seeds: int
    methods: tuple[str, ...] = METHODS
    pool_items: int | None = None
    ood_labels: tuple[str, ...] = ()
    oos_in_pool: bool = False
    loop: LoopSettings = field(default_factory=LoopSettings)

    @staticmethod
    def of(
        name: str,
        *,
        budgets: Sequence[int] = (),
        seeds: int | None = None,
        methods: Sequence[str] = (),
        pool_items: int | None = None,
    ) -> Plan:
        """The data's own plan, where nothing else is asked for."""
        return Plan(
            budgets=tuple(sorted(budgets)) or _by_name(BUDGETS, name, OTHER_BUDGETS),
            seeds=seeds or _by_name(SEEDS, name, OTHER_SEEDS),
            methods=tuple(methods) or METHODS,
            pool_items=pool_items,
        )

    def settings(self, method: str) -> dict[str, object]:
        """What the figures of a method depend on; Lantern's settings and code only where its labels or answers do."""
        shared: dict[str, object] = {
            "budgets": list(self.budgets),
            "pool_items": self.pool_items,
            "ood_labels": list(self.ood_labels),
            "oos_in_pool": self.oos_in_pool,
        }
        return {**shared, "loop": asdict(self.loop), "code": lantern_code()} if method.startswith("lantern") else shared


def draw_pool(problem: Problem, items: int | None) -> Problem:
    """The problem with a smaller pool, the same for every method and seed."""
    if items is None or items >= len(problem.pool):
        return problem
    rows = np.sort(np.random.default_rng(0).choice(len(problem.pool), items, replace=False))
    return replace(problem, pool=problem.pool[rows], pool_truth=problem.pool_truth[rows])


@cache
def lantern_code() -> str:
    """Digest of the sources that make Lantern's answers: figures of other code are other figures."""
    folder = Path(ml_backend.__file__).parent
    sources = sorted([*(folder / "core").glob("*.py"), *(folder / "engine").glob("*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def _by_name(table: Mapping[str, T], name: str, other: T) -> T:
    return next((value for start, value in table.items() if name.startswith(start)), other)
