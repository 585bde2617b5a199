"""Standard, mixture and VampPrior in otherwise equal sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.sessions import session
from benchmarks.label_efficiency.plan import by_name
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.core.hyperparameters import PRIORS

SEEDS = {"clinc150": 5, "mnist": 3}
OPTIONS: dict[str, dict[str, Any]] = {
    "clinc150": {"labels": 300, "items": None},
    "mnist": {"labels": 100, "items": 10_000},
}
"""By the beginning of the data's name."""


def cases(data: str) -> list[Case]:
    """Each prior with each seed."""
    options = by_name(OPTIONS, data, {})
    return [
        Case(f"{prior}.seed{seed}", {"prior": prior, "seed": seed, **options})
        for prior in PRIORS
        for seed in range(by_name(SEEDS, data, 1))
    ]


def run(bench: Bench, case: Case) -> SavedCell:
    """The figures of the main table; the labels in `extra`."""
    loop = replace(bench.loop, pool=replace(bench.loop.pool, prior=case.options["prior"]))
    problem = bench.problem(Variant(case.options["items"]))
    cell = session(problem, case.options["labels"], case.options["seed"], loop)
    return replace(cell, arrays={})


EXPERIMENT = Experiment("priors", tuple(OPTIONS), cases, run)
