"""Cells of the main table: one method on one data set with one seed, every budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_efficiency.store import Arrays, SavedCell
from ml_backend.engine.simulation.methods import Cell
from ml_backend.engine.simulation.oracle import AskedLabels

Figures = dict[str, float | int | None]


@dataclass(frozen=True)
class SavedBudget:
    """figures: the numbers of one budget. curves: what plots need: confidence, correct, known_*, unknown_*."""

    figures: Figures
    labels: AskedLabels
    curves: dict[str, NDArray[np.generic]]


def to_saved(cells: Sequence[Cell], notes: Mapping[int, Figures] | None = None) -> SavedCell:
    """All budgets of one method and seed. notes: budget -> figures beside the usual ones."""
    arrays = {f"{cell.budget}.{name}": values for cell in cells for name, values in curves_of(cell).items()}
    figures = {str(cell.budget): {**figures_of(cell), **(notes or {}).get(cell.budget, {})} for cell in cells}
    extra = {str(cell.budget): {"rows": cell.labels.rows, "answers": cell.labels.answers} for cell in cells}
    return SavedCell(figures, arrays, extra)


def from_saved(saved: SavedCell) -> dict[int, SavedBudget]:
    """Budget -> what was saved."""
    return {
        int(budget): SavedBudget(
            figures,
            AskedLabels(tuple(saved.extra[budget]["rows"]), tuple(saved.extra[budget]["answers"])),
            _of_budget(saved.arrays, budget),
        )
        for budget, figures in saved.figures.items()
    }


def figures_of(cell: Cell) -> Figures:
    """The numbers of one budget."""
    return {
        "budget": cell.budget,
        "seconds": round(cell.seconds, 3),
        "peak_mb": round(cell.peak_mb, 1),
        **asdict(cell.graded.figures),
    }


def curves_of(cell: Cell) -> dict[str, NDArray[np.generic]]:
    """What plots need of one budget."""
    graded = cell.graded
    scores = {
        f"{side}_{name}": values.astype(np.float32)
        for side, named in (("known", graded.known), ("unknown", graded.unknown))
        for name, values in named.items()
    }
    return {"confidence": graded.confidence.astype(np.float32), "correct": graded.correct, **scores}


def _of_budget(arrays: Arrays, budget: str) -> dict[str, NDArray[np.generic]]:
    start = f"{budget}."
    return {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}
