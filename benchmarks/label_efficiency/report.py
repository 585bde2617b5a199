"""Cells -> Markdown and JSON: means, standard deviations, and differences paired by seed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.label_efficiency.running import DataResult
from ml_backend.engine.simulation.methods import LANTERN

TABLES = (
    ("Inductive accuracy (test split)", "accuracy_test"),
    ("Transductive accuracy (rest of the pool)", "accuracy_pool"),
    ("Unknown items, AUROC of novelty", "auroc_novelty"),
    ("Unknown items, AUROC of s_OOD (else 1 - confidence)", "auroc_s_ood"),
    ("Unknown items, FPR95 of novelty (low = good)", "fpr95"),
    ("Calibration error, 15 bins of equal size (low = good)", "ece"),
    ("Seconds", "seconds"),
    ("Peak memory, MB", "peak_mb"),
)
PAIRED = ("accuracy_test", "accuracy_pool")
"""Figures of which Lantern's lead is shown too."""
DECIMALS = {"seconds": 1, "peak_mb": 0}
NOTHING = "-"


def to_json(results: Sequence[DataResult]) -> dict[str, object]:
    """Every figure of every cell, and the plan of each data set."""
    return {
        "data": {
            result.name: {
                "plan": _plan(result),
                "rows": [
                    {"method": method, "seed": seed, **saved.figures}
                    for (method, seed), budgets in result.cells.items()
                    for saved in budgets.values()
                ],
            }
            for result in results
        }
    }


def _plan(result: DataResult) -> dict[str, object]:
    return {"seeds": result.plan.seeds, **result.plan.settings(LANTERN)}


def to_markdown(results: Sequence[DataResult]) -> str:
    """A section for each data set, a table for each figure."""
    lines = ["# Label efficiency", ""]
    lines += ["Means over seeds ± standard deviation. `lantern+..` learn from the labels that Lantern asked for."]
    for result in results:
        lines += ["", f"## {result.name}", "", f"{result.plan.seeds} seeds."]
        if result.plan.pool_items:
            lines[-1] += f" Pool cut to {result.plan.pool_items:,} items."
        for title, field in TABLES:
            if any(value is not None for method in result.plan.methods for value in _values(result, method, field)):
                lines += ["", f"### {title}", "", *_table(result, field)]
    return "\n".join(lines) + "\n"


def paired_difference(result: DataResult, method: str, field: str, budget: int) -> tuple[float, float] | None:
    """(mean, standard error) over seeds of Lantern's figure minus the method's, seed by seed; None where missing.

    The standard error of a single seed is not known: nan.
    """
    ours, theirs = _at(result, LANTERN, field, budget), _at(result, method, field, budget)
    differences = [a - b for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    if not differences:
        return None
    spread = statistics.stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else float("nan")
    return statistics.mean(differences), spread


def _table(result: DataResult, field: str) -> list[str]:
    paired = field in PAIRED and LANTERN in result.plan.methods
    budgets = result.plan.budgets
    head = ["method", *(f"{budget} labels" for budget in budgets)]
    if paired:
        head += [f"Lantern's lead at {budget} (± standard error)" for budget in budgets]
    lines = [_line(head), _line(["---"] * len(head))]
    for method in result.plan.methods:
        cells = [_mean(_at(result, method, field, budget), DECIMALS.get(field, 3)) for budget in budgets]
        if paired:
            cells += [_lead(result, method, field, budget) for budget in budgets]
        lines.append(_line([f"`{method}`", *cells]))
    return lines


def _lead(result: DataResult, method: str, field: str, budget: int) -> str:
    found = None if method == LANTERN else paired_difference(result, method, field, budget)
    if found is None:
        return NOTHING
    mean, error = found
    return f"{mean:+.3f}" + ("" if error != error else f" ± {error:.3f}")  # nan: one seed


def _at(result: DataResult, method: str, field: str, budget: int) -> list[float | None]:
    return [result.cells[method, seed][budget].figures[field] for seed in range(result.plan.seeds)]


def _values(result: DataResult, method: str, field: str) -> list[float | None]:
    return [value for budget in result.plan.budgets for value in _at(result, method, field, budget)]


def _mean(values: Sequence[float | None], decimals: int) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return NOTHING
    mean = f"{statistics.mean(known):.{decimals}f}"
    return mean if len(known) == 1 else f"{mean} ± {statistics.stdev(known):.{decimals}f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
