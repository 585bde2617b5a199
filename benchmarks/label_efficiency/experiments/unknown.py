"""Never seen: out-of-scope items and intents that were left out, next to distances and to a classifier's doubt."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.sessions import main_budget, session
from benchmarks.label_efficiency.experiments.training import train
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.core import scores
from ml_backend.core.description import PoolDescription
from ml_backend.engine.label_store import LabelStore
from ml_backend.engine.simulation.clusters import spherical_centres
from ml_backend.engine.simulation.embedded import Embedded, Part
from ml_backend.engine.simulation.learners import LEARNERS
from ml_backend.engine.simulation.metrics import auroc, fpr95

LABELS = 300
SEEDS = 5
POOL_SEEDS = 3
DRAWS, LEFT_OUT = 10, 15
CENTROIDS = 300

Scores = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Name -> (known items, unknown items), HIGH = unknown."""


def cases(_data: str) -> list[Case]:
    """oos.*: out-of-scope test items. pool.*: others of them are in the pool. left_out.*: intents that are missing."""
    options = {"labels": LABELS}
    oos = [Case(f"oos.seed{seed}", {"kind": "oos", "seed": seed, **options}) for seed in range(SEEDS)]
    pool = [Case(f"pool.seed{seed}", {"kind": "pool", "seed": seed, **options}) for seed in range(POOL_SEEDS)]
    left = {"kind": "left_out", "left_out": LEFT_OUT, **options}
    return [*oos, *pool, *(Case(f"left_out.draw{draw}", {**left, "seed": draw}) for draw in range(DRAWS))]


def run(bench: Bench, case: Case) -> SavedCell:
    """AUROC and FPR95 of each score."""
    kinds = {"oos": _oos, "pool": _oos_in_pool, "left_out": _left_out}
    return kinds[case.options["kind"]](bench, case)


def _oos(bench: Bench, case: Case) -> SavedCell:
    """The main table's session; s_OOD at temperature 1 from a model that got the same labels at once."""
    seed, budget = case.options["seed"], case.options["labels"]
    problem, data = bench.problem(), bench.embedded()
    reached = main_budget(bench, budget, seed)
    found: Scores = {
        name: (np.asarray(reached.curves[f"known_{name}"]), np.asarray(reached.curves[f"unknown_{name}"]))
        for name in ("novelty", "s_ood")
    }
    labels = reached.labels.label_set
    trained = train(problem.pool, labels, seed, bench.loop)
    described = {part: trained.outside(items) for part, items in (("test", problem.test), ("ood", problem.ood))}
    exact = {part: exact_s_ood(spread.store, description) for part, (description, spread) in described.items()}
    found["s_ood_exact"] = exact["test"], exact["ood"]
    found |= distances(data)
    assert labels is not None
    doubt = LEARNERS["logreg"](data, labels, seed)
    found["logreg"] = 1.0 - doubt("test").confidence, 1.0 - doubt("ood").confidence
    return judged(found)


def _oos_in_pool(bench: Bench, case: Case) -> SavedCell:
    problem = bench.problem(Variant(oos_in_pool=True))
    cell = session(problem, case.options["labels"], case.options["seed"], bench.loop)
    return judged(_of_session(cell))


def _left_out(bench: Bench, case: Case) -> SavedCell:
    """Intents that are neither in the pool nor labelled must be recognised."""
    assert bench.dataset.y is not None
    seed = case.options["seed"]
    names = np.setdiff1d(np.unique(bench.dataset.y), [""])
    drawn = np.random.default_rng(seed).choice(names, case.options["left_out"], replace=False)
    variant = Variant(ood_labels=tuple(sorted(drawn.tolist())))
    problem = bench.problem(variant)
    cell = session(problem, case.options["labels"], seed, bench.loop)
    return judged(_of_session(cell) | distances(Embedded.of(problem), seed))


def distances(data: Embedded, seed: int = 0) -> Scores:
    """Cosine distances to the pool's 1st and 10th neighbour and to the nearest of CENTROIDS k-means centres."""
    centres = spherical_centres(data.pool, min(CENTROIDS, len(data.pool)), seed)

    def both(score: partial[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return score("test"), score("ood")

    def to_centroid(part: Part) -> NDArray[np.float32]:
        return np.asarray(1.0 - (data.rows[part] @ centres.T).max(axis=1), np.float32)

    found = {f"knn{k}": both(partial(data.knn_novelty, k=k)) for k in (1, 10)}
    return found | {"centroids": both(partial(to_centroid))}


def exact_s_ood(store: LabelStore, description: PoolDescription) -> NDArray[np.float32]:
    """1 - max_c r_c max_y tau with r as it is (temperature 1)."""
    return scores.s_ood(replace(description.responsibilities, temperature=1.0), store.tau)


def judged(found: Scores) -> SavedCell:
    """AUROC and FPR95 of each; the scores themselves for the ROC."""
    figures = {f"auroc_{name}": auroc(*pair) for name, pair in found.items()}
    figures |= {f"fpr95_{name}": fpr95(*pair) for name, pair in found.items()}
    sides = {f"{side}_{name}": pair[i] for name, pair in found.items() for i, side in enumerate(("known", "unknown"))}
    return SavedCell(figures, {name: np.asarray(values, np.float32) for name, values in sides.items()})


def _of_session(cell: SavedCell) -> Scores:
    return {
        name: (np.asarray(cell.arrays[f"known_{name}"]), np.asarray(cell.arrays[f"unknown_{name}"]))
        for name in ("novelty", "s_ood")
    }


EXPERIMENT = Experiment("unknown", ("clinc150",), cases, run)
