"""Everything that was measured, as one JSON document: the report, the plan's verdicts and the README are made of it."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.checkout import checkout
from benchmarks.label_efficiency.experiments import EXPERIMENTS
from benchmarks.label_efficiency.running import DataResult
from ml_backend.engine.simulation.methods import LANTERN

CaseFigures = Mapping[str, Mapping[str, Any]]
"""Name of a case -> its figures."""


@dataclass(frozen=True)
class Difference:
    """mean: of ours minus theirs, paired by seed. error: its standard error; nan with one seed."""

    mean: float
    error: float


class Results:
    """Read access to the document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._data: Mapping[str, Any] = document["data"]
        self._rows: dict[tuple[str, str, int], dict[int, Mapping[str, Any]]] = {}
        for name, content in self._data.items():
            for row in content["rows"]:
                self._rows.setdefault((name, row["method"], row["budget"]), {})[row["seed"]] = row

    @property
    def machine(self) -> Mapping[str, Any]:
        """Where it was made, and of which commit."""
        machine: Mapping[str, Any] = self.document["machine"]
        return machine

    @property
    def apart(self) -> Mapping[str, str]:
        """Experiment -> commit, of those that were measured by themselves."""
        found: Mapping[str, str] = self.document.get("apart", {})
        return found

    @property
    def data(self) -> list[str]:
        """Names of the data sets of the main table."""
        return [name for name, content in self._data.items() if content["rows"]]

    def budgets(self, data: str) -> list[int]:
        """Columns of its table."""
        return list(self._data[data]["budgets"])

    def methods(self, data: str) -> list[str]:
        """Those that were run, Lantern first."""
        return [m for m in self._data[data]["methods"] if any((data, m, b) in self._rows for b in self.budgets(data))]

    def pool_items(self, data: str) -> int | None:
        """What the pool was cut to; None = all."""
        cut: int | None = self._data[data]["pool_items"]
        return cut

    def main_field(self, data: str) -> str:
        """Accuracy on the test split where there is one, else on the rest of the pool."""
        found = any(row["accuracy_test"] is not None for row in self._data[data]["rows"])
        return "accuracy_test" if found else "accuracy_pool"

    def by_seed(self, data: str, method: str, budget: int, field: str) -> dict[int, float]:
        """Seed -> figure, where there is one."""
        rows = self._rows.get((data, method, budget), {})
        return {seed: row[field] for seed, row in rows.items() if row.get(field) is not None}

    def values(self, data: str, method: str, budget: int, field: str) -> list[float]:
        """The figure of each seed."""
        return list(self.by_seed(data, method, budget, field).values())

    def difference(self, data: str, method: str, budget: int, field: str) -> Difference | None:
        """Lantern's figure minus the method's on the seeds that both have; None without any."""
        ours, theirs = (self.by_seed(data, name, budget, field) for name in (LANTERN, method))
        return paired([ours[seed] - theirs[seed] for seed in ours if seed in theirs])

    def cases(self, experiment: str, data: str = "") -> CaseFigures:
        """Of the first data set whose name begins so."""
        found: Mapping[str, CaseFigures] = self.document["experiments"].get(experiment, {})
        return next((cases for name, cases in found.items() if name.startswith(data)), {})

    def of_case(self, experiment: str, data: str, start: str, field: str) -> list[float]:
        """The figure in every case whose name begins so."""
        cases = self.cases(experiment, data)
        return [figures[field] for name, figures in cases.items() if name.startswith(start) and field in figures]

    def between_cases(self, experiment: str, data: str, first: str, second: str, field: str) -> list[float]:
        """The figure in cases that begin with `first` minus that in those that begin with `second`, of equal ends."""
        cases = self.cases(experiment, data)
        ends = [
            name.removeprefix(first)
            for name in cases
            if name.startswith(first) and second + name[len(first) :] in cases
        ]
        return [cases[first + end][field] - cases[second + end][field] for end in ends]

    def between_variants(self, experiment: str, data: str, first: str, second: str, field: str) -> list[float]:
        """The figure of one variant minus that of another in every case that has both."""
        both = [cell for cell in self.cases(experiment, data).values() if first in cell and second in cell]
        return [cell[first][field] - cell[second][field] for cell in both]

    def experiment_data(self, experiment: str) -> list[str]:
        """Data sets on which it was run."""
        return [name for name, cases in self.document["experiments"].get(experiment, {}).items() if cases]


def paired(differences: Sequence[float]) -> Difference | None:
    """Mean and standard error."""
    if not differences:
        return None
    error = statistics.stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else float("nan")
    return Difference(statistics.mean(differences), error)


def gather(results: Sequence[DataResult], benches: Sequence[Bench]) -> dict[str, Any]:
    """The document: every figure of every finished cell, all made by the code of this checkout."""
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    return {
        "machine": {**machine, **checkout()},
        "data": {result.name: _main(result) for result in results},
        "experiments": {name: _experiment(name, benches) for name in EXPERIMENTS},
    }


def _main(result: DataResult) -> dict[str, Any]:
    rows = []
    for (method, seed), budgets in result.cells.items():
        for saved in budgets.values():
            row = {"method": method, "seed": seed, **saved.figures}
            if method == LANTERN:
                row["flagged"] = flagged(saved.curves)
            rows.append(row)
    plan = result.plan
    return {
        "budgets": list(plan.budgets),
        "seeds": plan.seeds,
        "methods": list(plan.methods),
        "pool_items": plan.variant.pool_items,
        "rows": rows,
    }


def flagged(curves: Mapping[str, Any], level: float = 0.05) -> float | None:
    """Share of the known items with a conformal p-value of at most `level`. The curve holds -p."""
    novelty = curves.get("known_novelty")
    return None if novelty is None or not len(novelty) else float((-novelty <= level).mean())


def _experiment(name: str, benches: Sequence[Bench]) -> dict[str, CaseFigures]:
    experiment = EXPERIMENTS[name]
    found: dict[str, CaseFigures] = {}
    for bench in benches:
        if experiment.fits(bench.name):
            keys = {case.name: experiment.key(bench, case) for case in experiment.cases(bench.name)}
            done = {case: bench.store.load(key).figures for case, key in keys.items() if bench.store.has(key)}
            if done:
                found[bench.name] = done
    return found
