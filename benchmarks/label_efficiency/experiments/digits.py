"""Each class left out in turn: novelty of the missing one, next to neighbours in pixels."""

from __future__ import annotations

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.sessions import session
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.metrics import auroc

ITEMS, LABELS = 10_000, 100
DIGITS = tuple("0123456789")


def cases(_data: str) -> list[Case]:
    """One for each digit."""
    return [Case(f"without{digit}", {"left_out": digit, "labels": LABELS, "items": ITEMS}) for digit in DIGITS]


def run(bench: Bench, case: Case) -> SavedCell:
    """AUROC of Lantern's novelty after a session, and of the distance to the 1st and 10th neighbour in pixels."""
    variant = Variant(case.options["items"], ood_labels=(case.options["left_out"],))
    problem = bench.problem(variant)
    cell = session(problem, case.options["labels"], 0, bench.loop)
    data = Embedded.of(problem)
    pixels = {f"auroc_knn{k}": auroc(data.knn_novelty("test", k), data.knn_novelty("ood", k)) for k in (1, 10)}
    ours = {name: cell.figures[name] for name in ("auroc_novelty", "accuracy_test")}
    return SavedCell({**ours, **pixels})


EXPERIMENT = Experiment("digits", ("mnist",), cases, run)
