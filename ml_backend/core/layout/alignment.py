"""Lays a new map onto the one before, so that the picture in a person's head stays true (orthogonal Procrustes)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SHARED = 3
"""With fewer shared items a turn is not determined."""


@dataclass(frozen=True)
class Alignment:
    """y = (x - source) turned * scale + target. turn (2, 2) is orthogonal: a rotation, or a rotation and a mirror."""

    source: NDArray[np.float64]
    target: NDArray[np.float64]
    turn: NDArray[np.float64]
    scale: float

    def __call__(self, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, 2) of the new map -> (n, 2) in the old map's frame."""
        return np.asarray((places - self.source) @ self.turn * self.scale + self.target)


IDENTITY = Alignment(np.zeros(2), np.zeros(2), np.eye(2), 1.0)


def align(new: NDArray[np.floating], old: NDArray[np.floating]) -> Alignment:
    """The rotation, mirroring, scale and shift that bring `new` (n, 2) closest to `old` (n, 2), row by row.

    The scale makes both equally large, rather than the error least: that one shrinks maps that differ, and would do so
    again and again. Fewer than LEAST_SHARED rows, or rows in one place: nothing is turned.
    """
    if len(new) < LEAST_SHARED:
        return IDENTITY
    source, target = new.mean(axis=0, dtype=np.float64), old.mean(axis=0, dtype=np.float64)
    x, y = new - source, old - target
    size_x, size_y = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    if size_x == 0.0 or size_y == 0.0:
        return IDENTITY
    u, _, vt = np.linalg.svd(x.T @ y)
    return Alignment(source, target, u @ vt, size_y / size_x)
