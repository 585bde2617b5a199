"""What one label set means for a model: fitted on the pool, applied to any item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.calibration import fit_temperature, without_floor
from ml_backend.core.description import PoolDescription
from ml_backend.core.graph_prior import agreement, component_reach, left_out_shift, tau_with_prior
from ml_backend.core.labels import (
    LabelSet,
    as_matrix,
    check_label_set,
    leave_one_out_probabilities,
    leftover,
    soft_counts,
    tau,
)
from ml_backend.core.neighbour_votes import NeighbourVotes
from ml_backend.core.neighbourhood import NO_ROW, LabelWays

OTHER_LABELS = 0.5
"""Labels of an item's class on other items from which on a leave-one-out prediction of it is a fair test."""


@dataclass(frozen=True)
class LabelStore:
    """What a label set means for a model: everything that a new item needs besides its responsibilities.

    s: (K, Y) soft counts. tau: (K, Y). tau_named: (K, Y) tau with the graph's prior, for the label that is named
    (`core.graph_prior`). reach: (K,) in [0, 1], how near each is to a labelled component. current: (K,) in [0, 1], how
    far tau_named is what it was when the head learnt. temperature: of the confidence. rows: (n,) labelled rows of the
    pool, targets: (n, Y) their labels. suspicion: (n,) in [0, 1], 1 - p of the given label by all the others, HIGH =
    they contradict it (mislabelled?), 1 - 1/Y where they say nothing.
    left_out: (n,) int32 position of the class that all the others name; fair: (n,) bool, whether another item has a
    label of the item's class, without which leaving it out is no test.
    ways: from the pool's items to the labelled ones. example: (K,) the labelled row that belongs most to each
    component, or -1.
    """

    name: str
    classes: tuple[str, ...]
    alpha0: float | None
    s: NDArray[np.float64]
    tau: NDArray[np.float64]
    tau_named: NDArray[np.float64]
    reach: NDArray[np.float32]
    current: NDArray[np.float32]
    temperature: float
    rows: NDArray[np.int64]
    targets: NDArray[np.float64]
    suspicion: NDArray[np.float32]
    left_out: NDArray[np.int32]
    fair: NDArray[np.bool_]
    ways: LabelWays
    example: NDArray[np.int64]


def fit_store(
    description: PoolDescription, labels: LabelSet, *, alpha0: float | None = None, calibrate: bool = True
) -> LabelStore:
    """description: of the pool that the label set's rows count in. Raises InputError on rows outside it."""
    check_label_set(labels, len(description))
    own = description.responsibilities.take(labels.rows)
    s = soft_counts(own, labels.targets, own.n_components)
    ways = LabelWays.of(description, labels.rows)
    asked = description.take(labels.rows)
    votes = NeighbourVotes.of(asked, ways.nearest(asked, labels.rows), labels.rows, labels.targets)
    graph = description.component_graph
    left_out, _ = leave_one_out_probabilities(own, labels.targets, s, alpha0)
    left_out += left_out_shift(graph, own, labels.targets, s, alpha0)
    floor = np.asarray(leftover(own) / len(labels.classes), np.float64)
    votes.blend(left_out, floor)
    left_out = np.asarray(without_floor(left_out, floor), np.float64)
    current: NDArray[np.float32] = np.ones(own.n_components, np.float32)
    if head := description.heads.get(labels.name):
        current = agreement(graph, head.counts_of(labels.classes), s, alpha0)
        head.take(labels.rows).joined(labels.classes, s, current, own).blend(left_out)
    fair = fair_test(labels.targets)
    example = np.full(own.n_components, NO_ROW, np.int64)
    by_share = np.argsort(own.values, axis=None, kind="stable")  # the largest share is written last
    example[own.indices.ravel()[by_share]] = np.repeat(labels.rows, own.indices.shape[1])[by_share]
    return LabelStore(
        name=labels.name,
        classes=labels.classes,
        alpha0=alpha0,
        s=s,
        tau=tau(s, alpha0),
        tau_named=tau_with_prior(graph, s, alpha0),
        reach=component_reach(graph, s),
        current=current,
        temperature=_temperature(description, labels, left_out, fair) if calibrate else 1.0,
        rows=labels.rows,
        targets=labels.targets,
        suspicion=(1.0 - (left_out * labels.targets).sum(axis=1)).astype(np.float32),
        left_out=left_out.argmax(axis=1).astype(np.int32),
        fair=fair,
        ways=ways,
        example=example,
    )


def fair_test(targets: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether a labelled item's class has other labels too: without any, leaving it out cannot predict it.

    targets: (n, Y).
    """
    elsewhere = targets.sum(axis=0) - targets
    return np.asarray((targets * (elsewhere >= OTHER_LABELS)).sum(axis=1) >= 0.5)


def _temperature(
    description: PoolDescription, labels: LabelSet, left_out: NDArray[np.float64], fair: NDArray[np.bool_]
) -> float:
    """From the labelled items that are a fair test.

    Each counts for the part of the pool that it stands for, since people are asked about doubtful items more often
    than such are met.
    """
    r = description.responsibilities
    asked = as_matrix(r.take(labels.rows))
    per_label = np.asarray(as_matrix(r).sum(axis=0)).ravel() / np.maximum(np.asarray(asked.sum(axis=0)).ravel(), 1e-6)
    weights = np.asarray(asked @ per_label, np.float64)[fair]
    return fit_temperature(left_out[fair], labels.targets[fair], weights)
