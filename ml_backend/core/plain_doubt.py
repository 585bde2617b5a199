"""What a classifier that has seen nothing but the labels makes of each item: it finds small groups inside large ones.

Lantern's own confidence is taught by what the labels spread to. A small group whose items share the components of a
large class is named with confidence, and nobody is asked about it. A plain softmax regression of the labels has not
been told so, and doubts it (`docs/method.md`, "Query").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.softmax_regression import softmax, softmax_regression

FEWEST_LABELS = 100
"""With fewer, such a classifier knows less than the neighbourhoods (Linux, 25 labels: 1.5 points lost)."""
CHUNK = 8192


@dataclass(frozen=True)
class PlainDoubt:
    """unsure: (N,) in [0, 1), 1 - the largest p of the classifier. far: (N,) in [0, 2], cosine distance to the nearest
    labelled item. HIGH = ask, both.
    """

    unsure: NDArray[np.float32]
    far: NDArray[np.float32]

    @staticmethod
    def of(description: PoolDescription, rows: NDArray[np.int64], targets: NDArray[np.float64]) -> PlainDoubt | None:
        """description: of the pool. rows: (n,) labelled, targets: (n, Y). None: too few labels, one class, or no
        features."""
        named = np.any(targets > 0, axis=0)
        if len(rows) < FEWEST_LABELS or np.count_nonzero(named) < 2 or not description.features.shape[1]:
            return None
        labelled = description.features[rows].astype(np.float32)
        weights, bias = softmax_regression(labelled, targets[:, named].astype(np.float32))
        unsure, far = np.empty(len(description), np.float32), np.empty(len(description), np.float32)
        for start in range(0, len(description), CHUNK):
            part = slice(start, start + CHUNK)
            features = description.features[part].astype(np.float32)
            unsure[part] = 1.0 - softmax(features @ weights + bias).max(axis=1)
            far[part] = 1.0 - (features @ labelled.T).max(axis=1)
        return PlainDoubt(unsure, far)

    def order(self, description: PoolDescription) -> NDArray[np.float64]:
        """(N,) in (0, 1], HIGH = ask: by what the classifier is unsure of, and by groups of such items far from any
        label, in turn.
        """
        alone = self.unsure * self.far
        near = np.where(description.neighbours >= 0, np.maximum(description.similarities, 0.0), 0.0) ** 2
        groups = alone + (near * alone[description.neighbours]).sum(axis=1)
        place = np.minimum(_places(self.unsure), _places(groups) + 0.5)
        return np.asarray(1.0 - place / (len(place) + 1.0), np.float64)


def _places(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """(N,) 0 = the highest."""
    places = np.empty(len(values), np.int64)
    places[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return places
