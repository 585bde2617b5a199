"""The first map: the plane of largest variance, the same for the same items whatever their order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.layout.square import Places, fill_square
from ml_backend.errors import InputError

BLOCK_ROWS = 8192
"""Rows looked at together: bounds the float64 copy."""


def principal_plane(features: NDArray[np.floating]) -> Places:
    """(N, F) finite, N >= 1 -> (N, 2): the two principal components.

    The sign of each axis makes its largest deviations (third moment) positive, so that a map made anew from the same
    items is not mirrored. Raises InputError for an empty matrix.
    """
    if features.ndim != 2 or not features.size:
        raise InputError(f"a map needs rows with features, not shape {features.shape}")
    n, width = features.shape
    mean = features.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((width, width))
    for start in range(0, n, BLOCK_ROWS):
        block = features[start : start + BLOCK_ROWS] - mean
        covariance += block.T @ block
    _, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, ::-1][:, :2]
    raw = np.zeros((n, 2))
    for start in range(0, n, BLOCK_ROWS):
        raw[start : start + BLOCK_ROWS, : axes.shape[1]] = (features[start : start + BLOCK_ROWS] - mean) @ axes
    return fill_square(raw * _signs(raw))


def _signs(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where((raw**3).sum(axis=0) < 0, -1.0, 1.0)
