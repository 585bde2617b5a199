"""Small groups that hide in a large class: what is stranger than anything that a person has confirmed in its class.

Confidence does not find them: what labels spread to teaches it that a small group beside a large one is of its class.
So a softmax regression that has seen nothing but the labels says of which class each item seems to be, and how far it
lies from that class is the relative Mahalanobis distance (Ren et al. 2021), averaged over the neighbours. A class whose
strangest item a person has confirmed has nothing to ask about until something stranger comes; if the answer was another
class, the group leaves, and the next one shows.
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
"""Times that a distance is averaged with the neighbours' own. Groups met of 15 with 0 to 3: 9.5, 10.5, 11.3, 10.8."""
CHUNK = 16_384
"""Items of which float32 copies exist at a time."""

Halves = NDArray[np.float16]
Numbers = NDArray[np.float32]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Surroundings:
    """What does not depend on labels. rows: (N, F), where neighbours are sought, of length 1. neighbours: (N, k) int32,
    -1 = none. around: (N, F), each row averaged with the mean of its neighbours. to_all: (N,) squared Mahalanobis
    distance to the mean of all.
    """

    rows: Halves
    neighbours: NDArray[np.int32]
    around: Halves
    to_all: Numbers

    @staticmethod
    def of(rows: Halves, neighbours: NDArray[np.int32]) -> Surroundings:
        """Of the whole pool."""
        around = np.empty_like(rows)
        for part in _chunks(len(rows)):
            near = neighbours[part]
            beside = [rows[column].astype(np.float32) * (column >= 0)[:, None] for column in near.T]
            mean = sum(beside, np.float32(0)) / np.maximum((near >= 0).sum(axis=1, dtype=np.float32), 1)[:, None]
            around[part] = 0.5 * (rows[part] + mean)
        return Surroundings(rows, neighbours, around, mahalanobis(rows, np.zeros(len(rows), np.int64), 1))

    def __len__(self) -> int:
        return len(self.rows)

    def averaged(self, values: Numbers) -> Numbers:
        """(N,) each value averaged with those of the neighbours, all alike."""
        there = self.neighbours >= 0
        total = values + (values[self.neighbours] * there).sum(axis=1, dtype=np.float32)
        return np.asarray(total / (1 + there.sum(axis=1)), np.float32)


@dataclass(frozen=True)
class Strangeness:
    """apparent: (N,) int64, position of the class that each item seems to be of; its own for a labelled one.

    distance: (N,) float32, HIGH = unlike that class. confirmed: (Y,) float32, the largest distance of an item that a
    person has put into the class, -inf without any.
    """

    apparent: Positions
    distance: Numbers
    confirmed: Numbers

    @staticmethod
    def of(surroundings: Surroundings, labels: LabelSet) -> Strangeness:
        """labels: of rows of the pool, at least one."""
        own = labels.targets.argmax(axis=1)
        apparent = _apparent(surroundings, labels)
        apparent[labels.rows] = own
        distance = mahalanobis(surroundings.rows, apparent, len(labels.classes)) - surroundings.to_all
        for _ in range(SMOOTHINGS):
            distance = surroundings.averaged(distance)
        confirmed = np.full(len(labels.classes), -np.inf, np.float32)
        np.maximum.at(confirmed, own, distance[labels.rows])
        return Strangeness(apparent, distance, confirmed)

    def candidates(self, is_open: NDArray[np.bool_]) -> Positions:
        """(m,) rows: of each class the strangest open item, if it is stranger than what is confirmed there.

        By how much, the largest difference first. is_open: (N,) bool, items that may be asked about.
        """
        rows = np.flatnonzero(is_open)
        order = rows[np.lexsort((-self.distance[rows], self.apparent[rows]))]
        strangest = order[np.unique(self.apparent[order], return_index=True)[1]]
        gain = self.distance[strangest] - self.confirmed[self.apparent[strangest]]
        by_gain = np.argsort(-gain, kind="stable")
        return np.asarray(strangest[by_gain][gain[by_gain] > 0.0], np.int64)


def strange_items(surroundings: Surroundings | None, labels: LabelSet, is_open: NDArray[np.bool_]) -> Positions:
    """`Strangeness.candidates` of a pool; none where its rows are not known or with too few labels."""
    if surroundings is None or len(labels.rows) < FEWEST_LABELS:
        return np.empty(0, np.int64)
    return Strangeness.of(surroundings, labels).candidates(is_open)


def mahalanobis(rows: Halves, groups: Positions, n_groups: int) -> Numbers:
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


def _means(rows: Halves, groups: Positions, n_groups: int) -> Numbers:
    """(n_groups, F) float32, 0 for a group without rows."""
    total = np.zeros((n_groups, rows.shape[1]))
    for part in _chunks(len(rows)):
        members = groups[part]
        ones = np.ones(len(members), np.float32)
        total += sparse.csr_matrix((ones, (members, np.arange(len(members)))), (n_groups, len(members))) @ (
            rows[part].astype(np.float32)
        )
    size = np.maximum(np.bincount(groups, minlength=n_groups), 1)
    return np.asarray(total / size[:, None], np.float32)


def _apparent(surroundings: Surroundings, labels: LabelSet) -> Positions:
    """(N,) the class that a regression of the labels alone names for each item, seen with its neighbours."""
    named = np.flatnonzero(labels.targets.any(axis=0))
    own = surroundings.rows[labels.rows].astype(np.float32)
    weights, bias = softmax_regression(own, labels.targets[:, named].astype(np.float32))
    first = [(surroundings.around[part] @ weights + bias).argmax(axis=1) for part in _chunks(len(surroundings))]
    return np.asarray(named[np.concatenate(first)], np.int64)


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK))
