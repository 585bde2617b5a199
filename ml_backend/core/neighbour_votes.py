"""The local term: labelled neighbours of an item are further observations on top of p(y|x) = sum_c r_c tau[c, y].

A mixture is capped by the purity of its components; where labels are dense, an item's labelled neighbours know more.
Their votes count like labels (a neighbour at cosine 1 is one label), and p of the mixture is the prior, worth one
label: p_local = (p + sum_j w_j t_j) / (1 + sum_j w_j), w_j = cosine_j^8. The nearest labelled item that is reached over
other neighbours votes too, if it is not a neighbour itself, with the product of the cosines on the way: copies of a
labelled item have each other as neighbours, and the label is two steps away. Without any of them p stays as it is.
Of copies that were given different labels each votes with the mean of them all: which one is nearest is chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml_backend.core.description import PoolDescription
from ml_backend.core.kernel import SHARPNESS, label_weight
from ml_backend.core.neighbourhood import NearestLabels

LEAST_CLOSENESS = 0.01 ** (1.0 / SHARPNESS)
"""Cosine of .56, whose vote weighs a hundredth: lighter ones from beyond the neighbours are not worth their time, and
items no nearer than that are strangers, who may share a batch of questions."""


@dataclass(frozen=True)
class Voters:
    """n labelled rows of a pool. rows: (n,). places: (n,), equal for copies. targets: (2 n, Y) float32: what each row's
    place was given on average; and the same without the row itself, zeros where it is alone.
    """

    rows: NDArray[np.int64]
    places: NDArray[np.int32]
    targets: NDArray[np.float32]

    @staticmethod
    def of(rows: NDArray[np.int64], targets: NDArray[np.float64], places: NDArray[np.int32]) -> Voters:
        """targets: (n, Y), the labels of the rows."""
        _, place, count = np.unique(places, return_inverse=True, return_counts=True)
        given = np.zeros((len(count), targets.shape[1]))
        np.add.at(given, place, targets)
        mean = given[place] / count[place, None]
        others = (given[place] - targets) / np.maximum(count[place, None] - 1, 1)
        return Voters(rows, places, np.concatenate([mean, others]).astype(np.float32))

    def position_of(self, rows: NDArray[np.integer]) -> NDArray[np.int32]:
        """Of rows of the pool among these: -1 = not labelled. A row of -1 is none."""
        last = max(int(rows.max(initial=-1)), int(self.rows.max(initial=-1)))
        position = np.full(last + 2, -1, np.int32)  # the last place stands for -1
        position[self.rows] = np.arange(len(self.rows))
        return position.take(rows, mode="wrap")


@dataclass(frozen=True)
class NeighbourVotes:
    """weights: (N, 2 n) sparse float32 in [0, 1], row = item, column = what a labelled item says, or what is said of
    the item's own place by others: cosine^SHARPNESS of those among the item's neighbours, and closeness^SHARPNESS of
    the one that is nearest over others, from LEAST_CLOSENESS on. targets: (2 n, Y) float32, see `Voters`.
    """

    weights: sparse.csr_matrix
    targets: NDArray[np.float32]

    @staticmethod
    def of(
        description: PoolDescription, nearest: NearestLabels, voters: Voters, items: NDArray[np.int64] | None
    ) -> NeighbourVotes:
        """description: of the pool's rows `items` (N,), or of others (None); its neighbours point into the pool.

        nearest: of the items. What is said of an item leaves out its own label.
        """
        labelled = voters.position_of(description.neighbours)
        item, place = np.nonzero(labelled >= 0)
        reached = np.flatnonzero(nearest.closeness >= LEAST_CLOSENESS)
        # A neighbour's own cosine counts, even where a way over others is shorter: cosines are no metric.
        beyond = reached[(description.neighbours[reached] != nearest.row[reached, None]).all(axis=1)]
        closeness = np.concatenate([description.similarities[item, place], nearest.closeness[beyond]])
        label = np.concatenate([labelled[item, place], voters.position_of(nearest.row[beyond])])
        weight = label_weight(closeness.astype(np.float32))
        item = np.concatenate([item, beyond])
        if items is not None:
            own = voters.position_of(items)[item]
            shared = (own >= 0) & (voters.places[label] == voters.places[own])
            label = np.where(shared, len(voters.rows) + own, label)
        shape = (len(description), len(voters.targets))
        return NeighbourVotes(sparse.csr_matrix((weight, (item, label)), shape=shape), voters.targets)

    def blend(self, probabilities: NDArray[np.floating], floor: NDArray[np.floating], start: int = 0) -> None:
        """Turns p(y|x) of the mixture of the items from `start` on, (m, Y), into p_local, in place; rows sum to 1.

        floor: (m,) the part of each p that is smoothing, equal for all classes; it shrinks as votes come in, in place
        too.
        """
        starts = self.weights.indptr[start : start + len(probabilities) + 1]
        voted = np.flatnonzero(np.diff(starts))
        if not len(voted):
            return
        some = slice(starts[0], starts[-1])
        weight, starts = self.weights.data[some], starts[np.append(voted, len(starts) - 1)] - starts[0]
        votes = sparse.csr_matrix((weight, self.weights.indices[some], starts), shape=(len(voted), len(self.targets)))
        total = 1.0 + np.add.reduceat(weight, starts[:-1])
        probabilities[voted] = (probabilities[voted] + votes @ self.targets) / total[:, None]
        floor[voted] /= total
