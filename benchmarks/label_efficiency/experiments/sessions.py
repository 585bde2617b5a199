"""Sessions as in the main table, on a changed problem or with changed settings."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.cells import SavedBudget, curves_of, figures_of
from benchmarks.label_efficiency.plan import Plan
from benchmarks.label_efficiency.running import lantern_budgets
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.methods import run_lantern
from ml_backend.engine.simulation.problem import Problem


def session(problem: Problem, budget: int, seed: int, loop: LoopSettings) -> SavedCell:
    """Lantern asks until the budget is spent: figures, curves, and the labels in `extra`."""
    [cell] = run_lantern(problem, [budget], seed, loop)
    extra = {"rows": cell.labels.rows, "answers": cell.labels.answers}
    return SavedCell(dict(figures_of(cell)), curves_of(cell), extra)


def main_budget(bench: Bench, budget: int, seed: int) -> SavedBudget:
    """What the main table's session had at a budget; the session is run if it was not."""
    plan = replace(Plan.of(bench.name), loop=bench.loop)
    if budget not in plan.budgets_of("lantern"):
        plan = replace(plan, budgets=(budget,), extra={})
    return lantern_budgets(bench, plan, seed)[budget]
