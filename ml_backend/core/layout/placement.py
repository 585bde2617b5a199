"""Places for items that a map does not know, from the neighbours that it knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.layout.square import Places

SHARPNESS = 16.0
"""exp(SHARPNESS * cosine) weighs a neighbour: one that is nearer by .1 counts five times, so that an item between two
groups lands in one of them rather than in the empty middle."""
ROUNDS = 12
"""How far a place travels along neighbours of neighbours."""


def place_among(
    places: Places, known: NDArray[np.bool_], neighbours: NDArray[np.int32], similarities: NDArray[np.float32]
) -> Places:
    """All N places; those of known rows are kept, the others are the weighted mean of their neighbours' places.

    places: (N, 2), of unknown rows anything. known: (N,). neighbours: (N, k) rows, -1 = none. similarities: (N, k)
    cosine. An unknown row without a known neighbour waits for its neighbours' places; one that no known row reaches
    stands in the middle of the map.
    """
    result, settled = np.array(places, np.float32), known.copy()
    for _ in range(ROUNDS):
        waiting = np.flatnonzero(~settled)
        if not len(waiting):
            return result
        near = neighbours[waiting]
        usable = (near >= 0) & settled[near]
        reached = usable.any(axis=1)
        if not reached.any():
            break
        rows = waiting[reached]
        weights = _weights(similarities[rows], usable[reached])
        result[rows] = (weights[:, :, None] * result[near[reached]]).sum(axis=1)
        settled[rows] = True
    middle = result[known].mean(axis=0) if known.any() else np.zeros(2, np.float32)
    result[~settled] = middle
    return result


def _weights(similarities: NDArray[np.float32], usable: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, k) summing to 1 in each row, 0 where not usable."""
    logits = np.where(usable, SHARPNESS * similarities, -np.inf)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
