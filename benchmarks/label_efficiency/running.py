"""Runs the cells that are not done yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.label_efficiency.cells import CellKey, CellStore, SavedBudget
from benchmarks.label_efficiency.plan import Plan, draw_pool
from ml_backend.data.dataset import read_dataset
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.methods import LANTERN, run_baseline, run_lantern
from ml_backend.engine.simulation.oracle import AskedLabels
from ml_backend.engine.simulation.problem import Problem, make_problem

Report = Callable[[str], None]


@dataclass(frozen=True)
class DataResult:
    """cells: (method, seed) -> budget -> what was saved, of everything in the plan."""

    name: str
    plan: Plan
    cells: dict[tuple[str, int], dict[int, SavedBudget]]


def run_data(path: Path, plan: Plan, store: CellStore, report: Report) -> DataResult:
    """Every cell of one data set, done now or before."""
    bench = _Bench(path, plan, store, report)
    keys = {(method, seed): bench.key(method, seed) for seed in range(plan.seeds) for method in plan.methods}
    for key in keys.values():
        bench.ensure(key)
    return DataResult(path.stem, plan, {cell: store.load(key) for cell, key in keys.items()})


class _Bench:
    """The data is read when the first cell is missing; a rerun of finished work reads cells only."""

    def __init__(self, path: Path, plan: Plan, store: CellStore, report: Report) -> None:
        self._path, self._plan, self._store, self._report = path, plan, store, report
        self._loaded: tuple[Problem, Embedded] | None = None

    def key(self, method: str, seed: int) -> CellKey:
        return CellKey(self._path.stem, method, seed, self._plan.settings(method))

    def ensure(self, key: CellKey) -> None:
        if self._store.has(key):
            self._report(f"{key.name}: done before")
            return
        problem, data = self._data()
        budgets = self._plan.budgets
        if key.method == LANTERN:
            cells = list(run_lantern(problem, budgets, key.seed, self._plan.loop))
        else:
            asked = self._asked(key.seed) if key.method.startswith(f"{LANTERN}+") else {}
            cells = list(run_baseline(key.method, problem, data, budgets, key.seed, asked))
        self._store.save(key, cells)
        last = cells[-1].graded.figures
        accuracy = last.accuracy_pool if last.accuracy_test is None else last.accuracy_test
        self._report(f"{key.name}: {accuracy or 0:.3f} at {cells[-1].budget} labels, {cells[-1].seconds:.0f} s")

    def _asked(self, seed: int) -> dict[int, AskedLabels]:
        lantern = self.key(LANTERN, seed)
        self.ensure(lantern)
        return {budget: saved.labels for budget, saved in self._store.load(lantern).items()}

    def _data(self) -> tuple[Problem, Embedded]:
        if self._loaded is None:
            made = make_problem(
                read_dataset(self._path), ood_labels=self._plan.ood_labels, oos_in_pool=self._plan.oos_in_pool
            )
            problem = draw_pool(made, self._plan.pool_items)
            self._loaded = problem, Embedded.of(problem)
        return self._loaded
