"""Where items glide to while the model trains: along with the components that they come to belong to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.layout.square import Places
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.errors import InputError

STRENGTH = 0.8
"""Share of the way from the old component's place to the new one's that an item goes: the rest is its own place
within the component, which it keeps."""


def component_places(places: Places, r: SparseResponsibilities) -> NDArray[np.float64]:
    """m (K, 2): mean place of each component, weighted by r; the map's middle for one without items."""
    shares = _shares(r)
    mass = np.bincount(r.indices.ravel(), shares.ravel(), minlength=r.n_components)
    sums = np.stack(
        [
            np.bincount(r.indices.ravel(), (shares * places[:, axis, None]).ravel(), minlength=r.n_components)
            for axis in range(2)
        ],
        axis=1,
    )
    middle = places.mean(axis=0, dtype=np.float64) if len(places) else np.zeros(2)
    return np.where(mass[:, None] > 0, sums / np.maximum(mass, np.finfo(np.float64).tiny)[:, None], middle)


def drift(
    places: Places, then: SparseResponsibilities, now: SparseResponsibilities, *, strength: float = STRENGTH
) -> Places:
    """y_i + strength * sum_c (r_c^now(i) - r_c^then(i)) m_c, clipped to the square.

    places: (N, 2) as the map was made when the responsibilities were `then`. Both are taken as shares of what is
    listed, so that a move of the whole map moves the result with it. Raises InputError when the rows or components
    differ.
    """
    if len(then) != len(now) or len(places) != len(now) or then.n_components != now.n_components:
        raise InputError("a drift needs the same items and components before and after")
    centres = component_places(places, then)
    moved = places + strength * (_expected(centres, now) - _expected(centres, then))
    return np.asarray(np.clip(moved, -1.0, 1.0), np.float32)


def _expected(centres: NDArray[np.float64], r: SparseResponsibilities) -> NDArray[np.float64]:
    """(N, 2) sum_c r_c m_c; one component a pass, for N * M pairs of float64 would be large."""
    shares = _shares(r)
    total = np.zeros((len(r), 2))
    for place in range(r.indices.shape[1]):
        total += shares[:, place, None] * centres[r.indices[:, place]]
    return total


def _shares(r: SparseResponsibilities) -> NDArray[np.float32]:
    """(N, M) r renormalised over the listed components."""
    return np.asarray(r.values / np.maximum(r.values.sum(axis=1, keepdims=True), np.float32(1e-12)), np.float32)
