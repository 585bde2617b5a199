"""Standard, mixture and VampPrior: models that start alike and get the same labels at once.

Sessions cannot tell priors apart: after the first training each asks other questions, and which of them ask the luckier
ones is drawn anew on every machine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.training import RUNS, copies, figures_of, medoid_labels, train
from benchmarks.label_efficiency.plan import by_name
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.core.hyperparameters import PRIORS

SEEDS = {"clinc150": 5, "mnist": 3}
OPTIONS: dict[str, dict[str, Any]] = {
    "clinc150": {"labels": 300, "items": None, "runs": RUNS},
    "mnist": {"labels": 100, "items": 10_000, "runs": RUNS},
}
"""By the beginning of the data's name."""


def cases(data: str) -> list[Case]:
    """One for each seed: all priors start from the same model."""
    options = {"priors": list(PRIORS), **by_name(OPTIONS, data, {})}
    return [Case(f"seed{seed}", {"seed": seed, **options}) for seed in range(by_name(SEEDS, data, 1))]


def run(bench: Bench, case: Case) -> SavedCell:
    """Prior -> the figures of a model that was trained with it."""
    seed, runs = case.options["seed"], case.options["runs"]
    problem = bench.problem(Variant(case.options["items"]))
    labels = medoid_labels(problem, case.options["labels"], seed).label_set
    new_pool = copies(problem.pool, seed, bench.loop)
    figures = {}
    for prior in case.options["priors"]:
        loop = replace(bench.loop, pool=replace(bench.loop.pool, prior=prior))
        figures[prior] = figures_of(train(problem.pool, labels, seed, loop, runs=runs, pool=new_pool()), problem)
    return SavedCell(figures)


EXPERIMENT = Experiment("priors", tuple(OPTIONS), cases, run)
