"""Four figures for each data set: accuracy, unknown items, calibration, cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from benchmarks.label_efficiency.cells import SavedBudget
from benchmarks.label_efficiency.running import DataResult
from ml_backend.engine.simulation.grading import BINS
from ml_backend.engine.simulation.methods import LANTERN

COLOURS = mpl.colormaps["tab20"]
SIZE = (7.0, 5.0)


def write_plots(result: DataResult, folder: Path) -> list[Path]:
    """PNG files; figures whose numbers the data does not have are left out. Curves are of the middle budget, seed 0."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in (("accuracy", _accuracy), ("unknown", _roc), ("calibration", _reliability), ("cost", _cost)):
        figure = Figure(figsize=SIZE, layout="constrained")
        if draw(figure.subplots(), result):
            path = folder / f"{result.name}.{name}.png"
            figure.savefig(path, dpi=120)
            written.append(path)
    return written


def _accuracy(axes: Axes, result: DataResult) -> bool:
    """Of the test split where there is one."""
    tested = any(saved.figures["accuracy_test"] is not None for saved in _every(result))
    field = "accuracy_test" if tested else "accuracy_pool"
    for place, method in enumerate(result.plan.methods):
        values = np.array(
            [
                [result.cells[method, seed][budget].figures[field] for budget in result.plan.budgets]
                for seed in range(result.plan.seeds)
            ],
            dtype=float,
        )
        axes.errorbar(
            result.plan.budgets, values.mean(axis=0), yerr=values.std(axis=0), marker="o", **_style(place, method)
        )
    axes.set(xscale="log", xlabel="labels", ylabel=field.replace("_", " "), title=result.name)
    axes.legend(fontsize="small")
    return True


def _roc(axes: Axes, result: DataResult) -> bool:
    drawn = False
    for place, method in enumerate(result.plan.methods):
        curves = _middle(result, method).curves
        for score, dash in (("novelty", "-"), ("s_ood", ":")):
            if f"unknown_{score}" not in curves or (score == "s_ood" and method != LANTERN):
                continue
            known, unknown = curves[f"known_{score}"], curves[f"unknown_{score}"]
            truth = np.r_[np.zeros(len(known)), np.ones(len(unknown))]
            false, true, _ = roc_curve(truth, np.r_[known, unknown])
            style = {**_style(place, method), "label": f"{method}, {score}"}
            axes.plot(false, true, linestyle=dash, **style)
            drawn = True
    axes.set(xlabel="known items flagged", ylabel="unknown items flagged", title=f"{result.name}: unknown items")
    if drawn:
        axes.legend(fontsize="small")
    return drawn


def _reliability(axes: Axes, result: DataResult) -> bool:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for place, method in enumerate(result.plan.methods):
        curves = _middle(result, method).curves
        confidence, correct = curves["confidence"], curves["correct"]
        parts = np.array_split(np.argsort(confidence, kind="stable"), BINS)
        axes.plot(_means(confidence, parts), _means(correct, parts), marker=".", **_style(place, method))
    axes.set(xlabel="confidence", ylabel="share right", title=f"{result.name}: calibration")
    axes.legend(fontsize="small")
    return True


def _cost(axes: Axes, result: DataResult) -> bool:
    for place, method in enumerate(result.plan.methods):
        saved = [budgets[max(budgets)] for (name, _), budgets in result.cells.items() if name == method]
        seconds = np.mean([s.figures["seconds"] for s in saved if s.figures["seconds"] is not None])
        memory = max(s.figures["peak_mb"] or 0.0 for s in saved)
        axes.scatter(seconds, memory, **_style(place, method))
    axes.set(xscale="log", xlabel="seconds to the last budget", ylabel="peak memory, MB", title=f"{result.name}: cost")
    axes.legend(fontsize="small")
    return True


def _means(values: NDArray[np.generic], parts: list[NDArray[np.int64]]) -> list[float]:
    return [float(np.mean(values[part].astype(float))) for part in parts if len(part)]


def _middle(result: DataResult, method: str) -> SavedBudget:
    budgets = result.plan.budgets
    return result.cells[method, 0][budgets[(len(budgets) - 1) // 2]]


def _every(result: DataResult) -> list[SavedBudget]:
    return [saved for budgets in result.cells.values() for saved in budgets.values()]


def _style(place: int, method: str) -> dict[str, Any]:
    return {"color": "black" if method == LANTERN else COLOURS(place % 20), "label": method}
