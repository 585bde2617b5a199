"""Figures of each data set: accuracy, unknown items, calibration, cost; noise apart from novelty."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.cells import SavedBudget
from benchmarks.label_efficiency.experiments import aleatoric, unknown
from benchmarks.label_efficiency.experiments.experiment import Experiment
from benchmarks.label_efficiency.running import DataResult
from benchmarks.label_efficiency.store import Arrays
from ml_backend.engine.simulation.grading import BINS
from ml_backend.engine.simulation.methods import LANTERN

COLOURS = mpl.colormaps["tab20"]
SIZE = (7.0, 5.0)
BESIDE = {"knn1": "kNN, k = 1", "knn10": "kNN, k = 10", "centroids": "300 centroids", "logreg": "LogReg's doubt"}
"""Scores of the experiment `unknown` that are drawn too."""


def write_plots(results: Sequence[DataResult], benches: Sequence[Bench], folder: Path) -> list[Path]:
    """PNG files; figures whose numbers are missing are left out. Curves are of the middle budget and the first seed."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for result, bench in zip(results, benches, strict=True):
        for name, draw in (
            ("accuracy", _accuracy),
            ("unknown", partial(_roc, beside=_first_case(unknown.EXPERIMENT, bench))),
            ("calibration", _reliability),
            ("cost", _cost),
        ):
            figure = Figure(figsize=SIZE, layout="constrained")
            if result.cells and draw(figure.subplots(), result):
                written.append(_save(figure, folder / f"{result.name}.{name}.png"))
        if noise := _first_case(aleatoric.EXPERIMENT, bench):
            written.append(_save(_aleatoric(noise), folder / f"{result.name}.aleatoric.png"))
    return written


def _accuracy(axes: Axes, result: DataResult) -> bool:
    """Of the test split where there is one."""
    tested = any(saved.figures["accuracy_test"] is not None for saved in _every(result))
    field = "accuracy_test" if tested else "accuracy_pool"
    for place, method in enumerate(result.plan.methods):
        done = [seed for seed in range(result.plan.seeds) if (method, seed) in result.cells]
        if not done:
            continue
        budgets = result.plan.budgets
        values = np.array(
            [[result.cells[method, seed][budget].figures[field] for budget in budgets] for seed in done], dtype=float
        )
        axes.errorbar(budgets, values.mean(axis=0), yerr=values.std(axis=0), marker="o", **_style(place, method))
    split = "test split" if tested else "rest of the pool"
    axes.set(xscale="log", xlabel="labels", ylabel=f"accuracy, {split}", title=result.name)
    axes.set_xticks(result.plan.budgets, [f"{budget:,}" for budget in result.plan.budgets])
    axes.minorticks_off()
    axes.legend(fontsize="small")
    return True


def _roc(axes: Axes, result: DataResult, beside: Arrays) -> bool:
    """Lantern's and the baselines' scores, and the distances of the experiment `unknown`."""
    drawn = False
    for place, method in enumerate(result.plan.methods):
        curves = _middle(result, method)
        for score, dash in (("novelty", "-"), ("s_ood", ":")):
            if f"unknown_{score}" not in curves or (score == "s_ood" and method != LANTERN):
                continue
            style = {**_style(place, method), "label": f"{method}, {score}", "linestyle": dash}
            drawn = _one_roc(axes, curves, score, style)
    for place, (score, label) in enumerate(BESIDE.items()):
        if f"unknown_{score}" in beside:
            drawn = _one_roc(axes, beside, score, {"color": COLOURS(19 - place), "label": label, "linestyle": "--"})
    axes.set(xlabel="known items flagged", ylabel="unknown items flagged", title=f"{result.name}: unknown items")
    if drawn:
        axes.legend(fontsize="small")
    return drawn


def _one_roc(axes: Axes, curves: Arrays, score: str, style: dict[str, Any]) -> bool:
    known, unknown_ = curves[f"known_{score}"], curves[f"unknown_{score}"]
    truth = np.r_[np.zeros(len(known)), np.ones(len(unknown_))]
    false, true, _ = roc_curve(truth, np.r_[known, unknown_])
    axes.plot(false, true, **style)
    return True


def _reliability(axes: Axes, result: DataResult) -> bool:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for place, method in enumerate(result.plan.methods):
        curves = _middle(result, method)
        if not curves:
            continue
        confidence, correct = curves["confidence"], curves["correct"]
        parts = np.array_split(np.argsort(confidence, kind="stable"), BINS)
        axes.plot(_means(confidence, parts), _means(correct, parts), marker=".", **_style(place, method))
    axes.set(xlabel="confidence", ylabel="share right", title=f"{result.name}: calibration")
    axes.legend(fontsize="small")
    return True


def _cost(axes: Axes, result: DataResult) -> bool:
    for place, method in enumerate(result.plan.methods):
        saved = [budgets[max(budgets)] for (name, _), budgets in result.cells.items() if name == method]
        if not saved:
            continue
        seconds = np.mean([s.figures["seconds"] for s in saved if s.figures["seconds"] is not None])
        memory = max(s.figures["peak_mb"] or 0.0 for s in saved)
        axes.scatter(seconds, memory, **_style(place, method))
    axes.set(xscale="log", xlabel="seconds to the last budget", ylabel="peak memory, MB", title=f"{result.name}: cost")
    axes.legend(fontsize="small")
    return True


def _means(values: NDArray[np.generic], parts: list[NDArray[np.int64]]) -> list[float]:
    return [float(np.mean(values[part].astype(float))) for part in parts if len(part)]


def _middle(result: DataResult, method: str) -> Arrays:
    """Curves of the middle budget and the first seed; none where that is not done."""
    budgets = result.plan.budgets
    found = result.cells.get((method, 0))
    return found[budgets[(len(budgets) - 1) // 2]].curves if found else {}


def _every(result: DataResult) -> list[SavedBudget]:
    return [saved for budgets in result.cells.values() for saved in budgets.values()]


def _style(place: int, method: str) -> dict[str, Any]:
    return {"color": "black" if method == LANTERN else COLOURS(place % 20), "label": method}


def _aleatoric(found: Arrays) -> Figure:
    """Examples, mean sigma of each pixel, and both scores of clean, noisy and never seen images."""
    figure = Figure(figsize=(10.0, 5.0), layout="constrained")
    axes = figure.subplots(2, 4)
    top = max(float(found[f"sigma_{kind}"].max()) for kind in ("clean", "noisy"))
    for place, kind in enumerate(("clean", "noisy")):
        axes[place, 0].imshow(found[f"example_{kind}"], cmap="gray")
        axes[place, 0].set_title(f"{kind} image")
        axes[place, 1].imshow(found[f"sigma_{kind}"], vmin=0, vmax=top)
        axes[place, 1].set_title(f"mean sigma, {kind}")
    axes[0, 2].imshow(found["example_digit"], cmap="gray")
    axes[0, 2].set_title("digit that was left out")
    for axis in axes[:, :3].flat:
        axis.set_axis_off()
    for axis, score in ((axes[0, 3], "novelty"), (axes[1, 3], "aleatoric")):
        for kind in ("clean", "noisy", "digit"):
            values = found[f"{score}_{kind}"]
            axis.hist(values, bins=40, histtype="step", density=True, label=kind)
        axis.set_title("novelty: minus its p-value" if score == "novelty" else "mean sigma")
        axis.legend(fontsize="x-small")
    return figure


def _first_case(experiment: Experiment, bench: Bench) -> Arrays:
    """Arrays of an experiment's first case; none where it is not done or not for this data."""
    if experiment.fits(bench.name):
        key = experiment.key(bench, experiment.cases(bench.name)[0])
        if bench.store.has(key):
            return bench.store.load(key).arrays
    return {}


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=120)
    return path
