"""What the better map is made of: an item's features, and the components that the model sees it in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.responsibilities import SparseResponsibilities

CODE_DIM = 48
"""Dimensions of a component's code: so many random directions are nearly at right angles to each other."""
CODE_WEIGHT = 0.25
"""Length of the components' part where the features' is 1. On MNIST and CLINC150 as many of the nearest on the map
share the class as without it, and the components become visible as grains; at .5 a class falls apart into them."""
CODE_SEED = 20_240


def blend(features: NDArray[np.float32], r: SparseResponsibilities) -> NDArray[np.float32]:
    """(N, F + CODE_DIM) unit rows. features: (N, F) unit rows.

    The distance between two items grows with that of their features and with the Hellinger distance of their
    responsibilities. A component keeps its code: after a training only items that changed theirs have moved.
    """
    # Not normalised to the listed mass: what is not listed is spread thin over components that share no direction.
    codes = _codes(r.n_components)
    blended = np.empty((len(features), features.shape[1] + CODE_DIM), np.float32)
    blended[:, : features.shape[1]] = features
    part = blended[:, features.shape[1] :]
    part[:] = 0.0
    for place in range(r.indices.shape[1]):
        part += np.sqrt(r.values[:, place, None]) * codes[r.indices[:, place]]
    part *= CODE_WEIGHT
    blended /= np.maximum(np.linalg.norm(blended, axis=1, keepdims=True), np.float32(1e-12))
    return blended


def _codes(n_components: int) -> NDArray[np.float32]:
    """(K, CODE_DIM) unit rows, the same for the same component whatever K."""
    codes = np.random.default_rng(CODE_SEED).standard_normal((n_components, CODE_DIM), dtype=np.float32)
    return np.asarray(codes / np.linalg.norm(codes, axis=1, keepdims=True))
