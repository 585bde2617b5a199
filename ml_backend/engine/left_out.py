"""How often the labels of all other items name an item's own label: the accuracy that the labels themselves promise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet, leave_one_out_probabilities, soft_counts
from ml_backend.engine.label_store import LabelStore, fair_test
from ml_backend.engine.pool import Pool

NORMAL_95 = 1.96
"""Half-width of a 95 % interval in standard deviations."""
GLANCE_ROWS = 1000
"""Labelled items of a label set that an estimate in the middle of a training looks at."""


@dataclass(frozen=True)
class LeftOutAccuracy:
    """estimate in [0, 1] with its 95 % interval (Wilson 1927); labels: number of labelled items that were left out.

    Items labelled for being doubtful make it pessimistic for the pool, a training that saw the labels optimistic: it
    compares runs on one project, and is no test.
    """

    estimate: float
    low: float
    high: float
    labels: int

    @staticmethod
    def of(right: float, n: int) -> LeftOutAccuracy:
        """right: number of items named as labelled, n >= 1 of all."""
        share, spread = right / n, NORMAL_95**2 / n
        middle = (share + spread / 2) / (1 + spread)
        half = NORMAL_95 * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
        return LeftOutAccuracy(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)), n)


def left_out_accuracy(stores: Iterable[LabelStore]) -> LeftOutAccuracy | None:
    """Over all labels of all stores; None without a label whose class has another one. A store whose labels are all of
    one class is left out: it can name nothing else.
    """
    right, n = 0.0, 0
    for store in stores:
        if not _has_two_classes(store.targets):
            continue
        named = store.targets[np.arange(len(store.rows)), store.left_out]
        right += float(named[store.fair].sum())
        n += int(store.fair.sum())
    return LeftOutAccuracy.of(right, n) if n else None


def accuracy_at_a_glance(pool: Pool, label_sets: Sequence[LabelSet]) -> float | None:
    """The same from the components alone and a sample of the labels, for a model that is being trained."""
    right, n = 0.0, 0
    for labels in label_sets:
        some = np.sort(np.random.default_rng(0).permutation(len(labels.rows))[:GLANCE_ROWS])
        fair = fair_test(labels.targets[some])
        if not fair.any() or not _has_two_classes(labels.targets):
            continue
        own, targets = pool.model.responsibilities(pool.x[labels.rows[some]]), labels.targets[some]
        s = soft_counts(own, targets, own.n_components)
        p, _ = leave_one_out_probabilities(own, targets, s, pool.settings.alpha0)
        right += float(targets[np.arange(len(some)), p.argmax(axis=1)][fair].sum())
        n += int(fair.sum())
    return right / n if n else None


def _has_two_classes(targets: NDArray[np.float64]) -> bool:
    """targets: (n, Y) as people labelled."""
    return int((targets.sum(axis=0) > 0).sum()) > 1
