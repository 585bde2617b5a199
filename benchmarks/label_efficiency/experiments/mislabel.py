"""Labels that were given wrongly: does the disagreement score find them?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.sessions import main_budget
from benchmarks.label_efficiency.experiments.training import train
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.core.labels import LabelSet

LABELS = 1500
SEEDS = 5
FLIPPED = 0.05


def cases(_data: str) -> list[Case]:
    """The seeds of the main table."""
    return [Case(f"seed{seed}", {"seed": seed, "labels": LABELS, "flipped": FLIPPED}) for seed in range(SEEDS)]


def run(bench: Bench, case: Case) -> SavedCell:
    """Average precision of the label store's suspicion, of a model that trained with the wrong labels too."""
    seed = case.options["seed"]
    asked = main_budget(bench, case.options["labels"], seed).labels.label_set
    assert asked is not None
    labels, wrong = flip(asked, case.options["flipped"], seed)
    trained = train(bench.problem().pool, labels, seed, bench.loop)
    assert trained.spread is not None
    suspicion = trained.spread.store.suspicion
    return SavedCell(
        {"average_precision": float(average_precision_score(wrong, suspicion)), "chance": float(wrong.mean())},
        {"suspicion": suspicion, "wrong": wrong},
    )


def flip(labels: LabelSet, share: float, seed: int) -> tuple[LabelSet, NDArray[np.bool_]]:
    """The labels with a share of them changed to another class at random, and which."""
    random = np.random.default_rng(seed)
    n, n_classes = labels.targets.shape
    rows = random.choice(n, round(share * n), replace=False)
    given = labels.targets.argmax(axis=1)
    given[rows] = (given[rows] + random.integers(1, n_classes, len(rows))) % n_classes
    wrong = np.zeros(n, bool)
    wrong[rows] = True
    return LabelSet(labels.name, labels.classes, labels.rows, np.eye(n_classes)[given]), wrong


EXPERIMENT = Experiment("mislabel", ("clinc150",), cases, run)
