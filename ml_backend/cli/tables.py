"""Results as text tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from ml_backend.engine.simulation import SimulationResult, SimulationRow

FIGURES = (
    ("acc pool", "accuracy_pool"),
    ("acc test", "accuracy_test"),
    ("novelty", "auroc_novelty"),
    ("s_OOD", "auroc_s_ood"),
    ("FPR95", "fpr95"),
    ("ECE", "ece"),
)
"""Heading and field of the figures that are averaged over seeds."""

NOT_THERE = "-"


def simulation_table(result: SimulationResult) -> str:
    """One line per budget and method, means over seeds; with several seeds with the standard deviation behind."""
    groups: dict[tuple[int, str], list[SimulationRow]] = {}
    for row in sorted(result.rows, key=lambda row: row.budget):  # stable: methods keep their order
        groups.setdefault((row.budget, row.method), []).append(row)
    head = ["labels", "method", *(name for name, _ in FIGURES), "s", "MB"]
    lines = [head]
    for (budget, method), rows in groups.items():
        figures = [_mean([getattr(row, field) for row in rows]) for _, field in FIGURES]
        seconds = f"{statistics.mean(row.seconds for row in rows):.1f}"
        lines.append([str(budget), method, *figures, seconds, f"{max(row.peak_mb for row in rows):.0f}"])
    return f"{_title(result)}\n\n{_aligned(lines)}"


def _title(result: SimulationResult) -> str:
    items = result.settings["items"]
    shown = ", ".join(f"{name} {count:,}" for name, count in items.items()) if isinstance(items, dict) else ""
    return f"{result.data}: {shown}; encoder {result.settings['encoder']}; seeds {result.settings['seeds']}"


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return NOT_THERE
    mean = f"{statistics.mean(known):.3f}"
    return mean if len(known) == 1 else f"{mean} ±{statistics.stdev(known):.3f}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = 1
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == text else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
