"""The local term: labelled neighbours of an item are further observations on top of p(y|x) = sum_c r_c tau[c, y].

A mixture is capped by the purity of its components; where labels are dense, an item's labelled neighbours know more.
Their votes count like labels (a neighbour at cosine 1 is one label), and p of the mixture is the prior, worth one
label: p_local = (p + sum_j w_j t_j) / (1 + sum_j w_j), w_j = cosine_j^8. The nearest labelled item that is reached over
other neighbours votes too, with the product of the cosines on the way: copies of a labelled item have each other as
neighbours, and the label is two steps away. Without any of them p stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml_backend.core.description import PoolDescription
from ml_backend.core.neighbourhood import NearestLabels

SHARPNESS = 8
"""Exponent of the cosine. On CLINC150 (training split, held-out part) 1 cost up to 2 points, 4 and 8 were alike."""

LEAST_VOTE = 0.01
"""Lighter ones from beyond the neighbours are not worth their time: cosine .56."""


@dataclass(frozen=True)
class NeighbourVotes:
    """weights: (N, n) sparse float32, of each labelled item among the neighbours. targets: (n, Y) float32."""

    weights: sparse.csr_matrix
    targets: NDArray[np.float32]

    @staticmethod
    def of(
        description: PoolDescription, nearest: NearestLabels, rows: NDArray[np.int64], targets: NDArray[np.float64]
    ) -> NeighbourVotes:
        """rows: (n,) labelled rows of the pool into which the description's neighbours point. nearest: of the items."""
        last = max(int(description.neighbours.max(initial=-1)), int(rows.max(initial=-1)))
        position = np.full(last + 2, -1, np.int64)  # the last place stands for "no neighbour" (-1)
        position[rows] = np.arange(len(rows))
        labelled = position[description.neighbours]
        item, place = np.nonzero(labelled >= 0)
        reached = np.flatnonzero(nearest.closeness**SHARPNESS >= LEAST_VOTE)
        shape = (len(description), len(rows))
        near = _weights(description.similarities[item, place], item, labelled[item, place], shape)
        far = _weights(nearest.closeness[reached], reached, position[nearest.row[reached]], shape)
        return NeighbourVotes(near.maximum(far).tocsr(), targets.astype(np.float32))

    def blend(self, probabilities: NDArray[np.floating], floor: NDArray[np.floating], start: int = 0) -> None:
        """Turns p(y|x) of the mixture of the items from `start` on, (m, Y), into p_local, in place; rows sum to 1.

        floor: (m,) the part of each p that is smoothing, equal for all classes; it shrinks as votes come in, in place
        too.
        """
        weights = self.weights[start : start + len(probabilities)]
        voted = np.flatnonzero(np.diff(weights.indptr))
        weights = weights[voted]
        total = 1.0 + np.asarray(weights.sum(axis=1))
        probabilities[voted] = (probabilities[voted] + weights @ self.targets) / total
        floor[voted] /= total[:, 0]


def _weights(
    cosine: NDArray[np.float32], item: NDArray[np.int64], label: NDArray[np.int64], shape: tuple[int, int]
) -> sparse.csr_matrix:
    weight = np.maximum(cosine, 0.0).astype(np.float32) ** SHARPNESS
    return sparse.csr_matrix((weight, (item, label)), shape=shape)
