"""The main table's cells: what is not done yet is done now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.cells import SavedBudget, from_saved, to_saved
from benchmarks.label_efficiency.plan import Plan
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.engine.simulation.methods import LANTERN, run_baseline, run_lantern
from ml_backend.engine.simulation.problem import Problem


@dataclass(frozen=True)
class DataResult:
    """cells: (method, seed) -> budget -> what was saved, of all that is done of the plan."""

    name: str
    plan: Plan
    cells: dict[tuple[str, int], dict[int, SavedBudget]]


def run_cell(bench: Bench, plan: Plan, method: str, seed: int) -> SavedCell:
    """One cell, and Lantern's before it where the method takes its labels."""
    return bench.ensure(plan.key(bench, method, seed), lambda: _run(bench, plan, method, seed))


def load_result(bench: Bench, plan: Plan) -> DataResult:
    """What is done."""
    cells = {}
    for seed in range(plan.seeds):
        for method in plan.methods:
            if bench.store.has(key := plan.key(bench, method, seed)):
                cells[method, seed] = from_saved(bench.store.load(key))
    return DataResult(bench.name, plan, cells)


def lantern_budgets(bench: Bench, plan: Plan, seed: int) -> dict[int, SavedBudget]:
    """Lantern's own cell."""
    return from_saved(run_cell(bench, plan, LANTERN, seed))


def covered_by_frequent(problem: Problem, labels: int) -> float:
    """Share of the pool that the most frequent classes make up, as many as there are labels: a label each."""
    _, counts = np.unique(problem.pool_truth[problem.pool_truth != ""], return_counts=True)
    return float(np.sort(counts)[::-1][:labels].sum() / len(problem.pool_truth))


def _run(bench: Bench, plan: Plan, method: str, seed: int) -> SavedCell:
    problem = bench.problem(plan.variant)
    if method == LANTERN:
        cells = list(run_lantern(problem, plan.budgets_of(LANTERN), seed, plan.loop))
        return to_saved(cells, {cell.budget: {"covered": covered_by_frequent(problem, cell.budget)} for cell in cells})
    asked = {}
    budgets = plan.budgets_of(method)
    if method.startswith(f"{LANTERN}+"):
        asked = {budget: saved.labels for budget, saved in lantern_budgets(bench, plan, seed).items()}
    return to_saved(list(run_baseline(method, problem, bench.embedded(plan.variant), budgets, seed, asked)))
