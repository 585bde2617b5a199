"""How near a label is to each item, along the neighbour graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription

STEPS = 3
"""Longest way to a label, in steps from neighbour to neighbour: an item has 15 of them, a class ten times as many."""


def nearness(description: PoolDescription, labelled: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(N,) in [0, 1]: the largest product of cosines on a way of at most STEPS steps to a labelled item of the pool.

    1 for labelled items themselves, 0 where no way leads to one. labelled: (N,), of the pool that is described.
    """
    near = labelled.astype(np.float32)
    cosine = np.where(description.neighbours >= 0, np.clip(description.similarities, 0.0, 1.0), 0.0).astype(np.float32)
    for _ in range(STEPS):
        near = np.maximum(near, (cosine * near[description.neighbours]).max(axis=1, initial=0.0))
    return near
