"""Sparse usage: fewer components as lambda rises, and free ones are taken by a class that appears later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.training import (
    Trained,
    continue_training,
    copies,
    medoid_labels,
    share_right,
    spread_of,
    train,
)
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.core.hyperparameters import LossWeights
from ml_backend.core.labels import as_matrix
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.pool import Propagation, combine, rank
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle

LAMBDAS = (0.0, 0.05, 0.5, 2.0)
SEEDS = 2
ITEMS, RUNS = 10_000, 2
LATER = ("4", "7", "0")
"""The digit that comes later, by seed."""
OLD_LABELS = 90
OWN_SHARE = 0.5
"""A component is a class's own when more than half of the mass on it comes from that class."""


def cases(_data: str) -> list[Case]:
    """rising.*: all weights of the sparsity term, from the same model. later.*: a class that appears later."""
    rising = [
        Case(f"rising.seed{seed}", {"kind": "rising", "weights": list(LAMBDAS), "seed": seed, "items": ITEMS})
        for seed in range(SEEDS)
    ]
    later = [
        Case(f"later.seed{seed}", {"kind": "later", "digit": digit, "seed": seed, "items": ITEMS, "old": OLD_LABELS})
        for seed, digit in enumerate(LATER)
    ]
    return [*rising, *later]


def run(bench: Bench, case: Case) -> SavedCell:
    """Figures of the kind of case."""
    return {"rising": _rising, "later": _later}[case.options["kind"]](bench, case)


def _rising(bench: Bench, case: Case) -> SavedCell:
    """lambda -> exp(H(p_hat)) over the pool after training without labels."""
    seed = case.options["seed"]
    problem = bench.problem(Variant(case.options["items"]))
    new_pool = copies(problem.pool, seed, bench.loop)
    effective = {}
    for weight in case.options["weights"]:
        weights = LossWeights(sparsity=weight)
        trained = train(problem.pool, None, seed, bench.loop, runs=RUNS, weights=weights, pool=new_pool())
        effective[str(weight)] = effective_components(trained.description.responsibilities)
    return SavedCell(effective)


def _later(bench: Bench, case: Case) -> SavedCell:
    """A model of all other classes meets one more: its components before and after at most 5 epochs, and its colour.

    own_before, own: components that belong to it. covered: share of its items whose first component is one of them.
    right_with_one_label: share of its items that get its label when the head of the queue among them is labelled.
    """
    seed, name = case.options["seed"], case.options["digit"]
    problem = bench.problem(Variant(case.options["items"]))
    is_new = problem.pool_truth == name
    old = replace(problem, pool=problem.pool[~is_new], pool_truth=problem.pool_truth[~is_new])
    labels = medoid_labels(old, case.options["old"], seed)
    pool = train(old.pool, labels.label_set, seed, bench.loop, runs=RUNS).pool
    pool.extend(problem.pool[is_new])
    truth = np.concatenate([old.pool_truth, problem.pool_truth[is_new]])
    newcomers = truth == name
    own_before = own_components(pool.describe().responsibilities, newcomers)
    given = labels.label_set
    continue_training(pool, [given] if given else [], seed, bench.loop, runs=1)
    description = pool.describe()
    own = own_components(description.responsibilities, newcomers)
    trained = Trained(pool, description, spread_of(description, given, bench.loop))
    first = first_asked(trained, labels, newcomers)
    with_one = Oracle(truth).ask(labels, [first])
    spread = spread_of(description, with_one.label_set, bench.loop)
    assert spread is not None
    others = newcomers.copy()
    others[first] = False
    return SavedCell(
        {
            "own_before": len(own_before),
            "own": len(own),
            "covered": float(np.isin(description.responsibilities.indices[newcomers, 0], own).mean()),
            "right_with_one_label": share_right(_only(spread, others), truth[others]),
        }
    )


def effective_components(responsibilities: SparseResponsibilities) -> float:
    """exp(H(p_hat)), p_hat the mean of r over the items."""
    usage = np.asarray(as_matrix(responsibilities).mean(axis=0)).ravel().astype(np.float64)
    share = usage[usage > 0] / usage.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def own_components(responsibilities: SparseResponsibilities, members: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Components most of whose mass comes from the members, and at least one item's worth of it."""
    r = as_matrix(responsibilities)
    theirs, all_ = (np.asarray(part.sum(axis=0)).ravel() for part in (r[members], r))
    return np.flatnonzero((theirs > OWN_SHARE * all_) & (theirs >= 1.0))


def first_asked(trained: Trained, labels: AskedLabels, among: NDArray[np.bool_]) -> int:
    """The row that comes first in the queue among some."""
    scores = combine([trained.spread] if trained.spread else [], trained.description)
    given = labels.label_set
    value = rank(trained.description, scores, labels.asked, label_sets=[given] if given else []).value
    rows = np.flatnonzero(among)
    return int(rows[np.argmax(value[rows])])


def _only(spread: Propagation, rows: NDArray[np.bool_]) -> Propagation:
    return replace(spread, label=spread.label[rows])


EXPERIMENT = Experiment("usage", ("mnist",), cases, run)
