"""Each class left out in turn: novelty of the missing one, next to neighbours in pixels."""

from __future__ import annotations

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.training import share_right, train
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.metrics import auroc
from ml_backend.engine.simulation.oracle import Oracle
from ml_backend.engine.simulation.queries import ask_medoids

ITEMS, LABELS = 10_000, 100
RUNS = 2
DIGITS = tuple("0123456789")


def cases(_data: str) -> list[Case]:
    """One for each digit."""
    return [Case(f"without{digit}", {"left_out": digit, "labels": LABELS, "items": ITEMS}) for digit in DIGITS]


def run(bench: Bench, case: Case) -> SavedCell:
    """AUROC of Lantern's novelty and of the distance to the 1st and 10th neighbour in pixels.

    The model trains with labels of k-means medoids.
    """
    problem = bench.problem(Variant(case.options["items"], ood_labels=(case.options["left_out"],)))
    data = Embedded.of(problem)
    budget = case.options["labels"]
    labels = ask_medoids(data, Oracle(problem.pool_truth), [budget], 0)[budget].label_set
    trained = train(problem.pool, labels, 0, bench.loop, runs=RUNS)
    (known, spread), (strange, _) = trained.outside(problem.test), trained.outside(problem.ood)
    figures = {
        "auroc_novelty": auroc(-known.novelty, -strange.novelty),
        "accuracy_test": share_right(spread, problem.test_truth),
    }
    pixels = {f"auroc_knn{k}": auroc(data.knn_novelty("test", k), data.knn_novelty("ood", k)) for k in (1, 10)}
    return SavedCell({**figures, **pixels})


EXPERIMENT = Experiment("digits", ("mnist",), cases, run)
