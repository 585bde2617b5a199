"""Fits places into the square [-1, 1] x [-1, 1] without stretching them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float32]
"""(N, 2) within [-1, 1]."""

FILLED = 0.97
"""How far from the middle the outermost place of a new map lies."""
LEAST_FILLED = 0.6
"""An aligned map that fills less than this of the square is drawn larger."""


def fill_square(raw: NDArray[np.floating]) -> Places:
    """(N, 2) finite -> centred and scaled alike on both axes, so that the outermost coordinate is FILLED."""
    places = raw.astype(np.float64)
    low, high = places.min(axis=0, initial=np.inf), places.max(axis=0, initial=-np.inf)
    if not len(places):
        return places.astype(np.float32)
    half = float((high - low).max()) / 2
    centred = places - (low + high) / 2
    return np.asarray(centred * (FILLED / half) if half > 0 else np.zeros_like(centred), np.float32)


def into_square(places: NDArray[np.floating]) -> Places:
    """Places of an aligned map, left alone where they fit: only what sticks out, or has become small, is scaled."""
    extent = float(np.abs(places).max(initial=0.0))
    if 0 < extent < LEAST_FILLED or extent > 1:
        return np.asarray(np.clip(places * (FILLED / extent), -1.0, 1.0), np.float32)
    return np.asarray(places, np.float32)
