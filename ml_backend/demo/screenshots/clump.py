"""Points that are of one kind and lie together, and a loop around them: what a person would lasso."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray


def purest_clump(places: NDArray[np.floating], labels: Sequence[str | None], size: int) -> NDArray[np.int64]:
    """(size,) rows that lie closest together among those of which all have the same label.

    places: (n, 2), n >= size. labels: (n), None = does not count. Where no neighbourhood is of one kind, the one with
    the most of a kind counts as such.
    """
    known = {label: number for number, label in enumerate(sorted({label for label in labels if label is not None}))}
    numbers = np.array([-1 if label is None else known[label] for label in labels])
    points = np.ascontiguousarray(places, np.float32)
    index = faiss.IndexFlatL2(2)
    index.add(points)
    distances, neighbours = index.search(points, size)
    around = numbers[neighbours]
    same = np.where(around[:, 0] >= 0, (around == around[:, :1]).sum(1), 0)
    spread = np.where(same == same.max(), distances[:, -1], np.inf)
    return np.asarray(neighbours[int(spread.argmin())], np.int64)


def outline(places: NDArray[np.floating], margin: float, corners: int) -> list[tuple[float, float]]:
    """Corners of a loop around (n, 2) places, `margin` away from the outermost."""
    middle = places.mean(0)
    radius = np.linalg.norm(places - middle, axis=1).max() + margin
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return [(float(middle[0] + radius * np.cos(a)), float(middle[1] + radius * np.sin(a))) for a in angles]
