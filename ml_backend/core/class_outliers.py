"""Small groups that hide in a large class: what is farther from its class than anything that a person has put there.

Confidence does not find them: what labels spread to teaches it that a small group beside a large one is of its class.
So a softmax regression that has seen nothing but the labels predicts a class for each item, and how far it lies from
that class is the relative Mahalanobis distance (Ren et al. 2021), averaged over the neighbours. A class whose farthest
item a person has confirmed has nothing to ask about until something farther comes; if the answer was another class, the
group leaves, and the next one shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml_backend.core.labels import LabelSet
from ml_backend.core.softmax_regression import softmax_regression

FEWEST_LABELS = 20
"""Below, a regression of the labels knows no class."""
SHRINKAGE = 0.1
"""Share of the mean variance in a covariance, so that few items do not make a direction look empty."""
SMOOTHINGS = 2
"""Times that a distance is averaged with the neighbours' own; three times met a group of 15 less."""
CHUNK = 4096
"""Items of which float32 copies exist at a time."""

Float16 = NDArray[np.float16]
Float32 = NDArray[np.float32]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Surroundings:
    """What does not depend on labels. rows: (N, F), where neighbours are sought, of length 1. neighbours: (N, k) int32,
    -1 = none. smoothed: (N, F), the mean of each row and its neighbours' mean. to_all: (N,) squared Mahalanobis
    distance to the mean of all.
    """

    rows: Float16
    neighbours: NDArray[np.int32]
    smoothed: Float16
    to_all: Float32

    @staticmethod
    def of(rows: Float16, neighbours: NDArray[np.int32]) -> Surroundings:
        """Of the whole pool."""
        smoothed = np.empty_like(rows)
        for part in _chunks(len(rows)):
            near = neighbours[part]
            total = np.zeros((len(near), rows.shape[1]), np.float32)
            for column in near.T:
                total += rows[column].astype(np.float32) * (column >= 0)[:, None]
            mean = total / np.maximum((near >= 0).sum(axis=1), 1)[:, None]
            smoothed[part] = 0.5 * (rows[part] + mean)
        return Surroundings(rows, neighbours, smoothed, mahalanobis(rows, np.zeros(len(rows), np.int64), 1))

    def __len__(self) -> int:
        return len(self.rows)

    def averaged(self, values: Float32) -> Float32:
        """(N,) each value averaged with those of the neighbours, all alike."""
        there = self.neighbours >= 0
        total = values + (values[self.neighbours] * there).sum(axis=1, dtype=np.float32)
        return np.asarray(total / (1 + there.sum(axis=1)), np.float32)


@dataclass(frozen=True)
class ClassOutliers:
    """predicted: (N,) int64, position of the class that the labels alone give each item; its own for a labelled one.

    distance: (N,) float32, relative Mahalanobis distance to that class, HIGH = unlike it. confirmed: (Y,) float32, the
    largest distance of an item that a person has put into the class, -inf without any.
    """

    predicted: Positions
    distance: Float32
    confirmed: Float32

    @staticmethod
    def of(surroundings: Surroundings, labels: LabelSet) -> ClassOutliers:
        """labels: of rows of the pool, at least one."""
        predicted = _predicted(surroundings, labels)
        predicted[labels.rows] = labels.targets.argmax(axis=1)
        distance = mahalanobis(surroundings.rows, predicted, len(labels.classes)) - surroundings.to_all
        for _ in range(SMOOTHINGS):
            distance = surroundings.averaged(distance)
        confirmed = np.full(len(labels.classes), -np.inf, np.float32)
        item, position = np.nonzero(labels.targets)  # also what a minority of an item's annotators said
        np.maximum.at(confirmed, position, distance[labels.rows[item]])
        return ClassOutliers(predicted, distance, confirmed)

    def candidates(self, is_open: NDArray[np.bool_]) -> Positions:
        """(m,) rows: of each class the farthest open item, if it is farther than what is confirmed there.

        By how much, the largest difference first. is_open: (N,) bool, items that may be asked about.
        """
        rows = np.flatnonzero(is_open)
        order = rows[np.lexsort((-self.distance[rows], self.predicted[rows]))]
        farthest = order[np.unique(self.predicted[order], return_index=True)[1]]
        gain = self.distance[farthest] - self.confirmed[self.predicted[farthest]]
        by_gain = np.argsort(-gain, kind="stable")
        return np.asarray(farthest[by_gain][gain[by_gain] > 0.0], np.int64)


def mahalanobis(rows: Float16, groups: Positions, n_groups: int) -> Float32:
    """(N,) squared distance of each row (N, F) to the mean of its group, in units of the scatter around all the means.

    groups: (N,) in 0..n_groups - 1. The scatter is pooled over the groups and shrunk (SHRINKAGE); 0 without any.
    """
    means = _means(rows, groups, n_groups)
    scatter = np.zeros((rows.shape[1], rows.shape[1]))
    for part in _chunks(len(rows)):
        apart = rows[part] - means[groups[part]]
        scatter += apart.T @ apart
    variance = float(np.trace(scatter)) / len(scatter)
    if variance <= 0.0:
        return np.zeros(len(rows), np.float32)
    shrunk = (1.0 - SHRINKAGE) * scatter + SHRINKAGE * variance * np.eye(len(scatter))
    whiten = np.linalg.inv(np.linalg.cholesky(shrunk / len(rows))).T.astype(np.float32)
    distances = (np.square((rows[part] - means[groups[part]]) @ whiten).sum(axis=1) for part in _chunks(len(rows)))
    return np.concatenate(list(distances))


def _means(rows: Float16, groups: Positions, n_groups: int) -> Float32:
    """(n_groups, F) float32, 0 for a group without rows."""
    total = np.zeros((n_groups, rows.shape[1]))
    for part in _chunks(len(rows)):
        members = groups[part]
        ones = np.ones(len(members), np.float32)
        of_group = sparse.csr_matrix((ones, (members, np.arange(len(members)))), (n_groups, len(members)))
        total += of_group @ rows[part].astype(np.float32)
    size = np.maximum(np.bincount(groups, minlength=n_groups), 1)
    return np.asarray(total / size[:, None], np.float32)


def _predicted(surroundings: Surroundings, labels: LabelSet) -> Positions:
    """(N,) the class that a regression of the labels alone names for each item, seen with its neighbours."""
    named = np.flatnonzero(labels.targets.any(axis=0))
    own = surroundings.rows[labels.rows].astype(np.float32)
    weights, bias = softmax_regression(own, labels.targets[:, named].astype(np.float32))
    first = [(surroundings.smoothed[part] @ weights + bias).argmax(axis=1) for part in _chunks(len(surroundings))]
    return np.asarray(named[np.concatenate(first)], np.int64)


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK))
