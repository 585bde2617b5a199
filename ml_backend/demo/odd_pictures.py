"""Pictures that are no digits, among which Lantern has to find what was never seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GRAIN = 0.12
"""Paper is never even. Besides, Label Studio shows no picture whose file has fewer than 100 bytes, as even areas give.
"""

Pictures = list[NDArray[np.uint8]]


def make_odd_pictures(shape: tuple[int, ...], n: int, seed: int) -> tuple[list[str], Pictures]:
    """n names and (1, H, W) uint8 pictures: chess boards, frames, blots and noise, no two alike."""
    generator = np.random.default_rng(seed)
    makers = (("a chess board", _board), ("a frame", _frame), ("a blot", _blot), ("noise", _noise))
    names, pictures = [], []
    for i in range(n):
        name, make = makers[i % len(makers)]
        ink = make(shape[1], shape[2], generator) * generator.uniform(0.7, 1.0)
        ink = (1.0 - GRAIN) * ink + GRAIN * generator.uniform(0.0, 1.0, ink.shape)
        names.append(name)
        pictures.append(np.rint(255 * ink).astype(np.uint8)[None])
    return names, pictures


def _board(height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    side, shift = generator.integers(1, 4) + 1, generator.integers(0, 4)
    rows, columns = np.mgrid[:height, :width]
    ink: NDArray[np.float64] = (((rows + shift) // side + columns // side) % 2).astype(np.float64)
    return ink


def _frame(height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    inset, thick = int(generator.integers(0, 3)), int(generator.integers(1, 4))
    ink = np.zeros((height, width))
    ink[inset : height - inset, inset : width - inset] = 1.0
    ink[inset + thick : height - inset - thick, inset + thick : width - inset - thick] = 0.0
    return ink


def _blot(height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    rows, columns = np.mgrid[:height, :width]
    row, column = generator.uniform(0.3, 0.7, 2) * (height, width)
    radius = generator.uniform(0.3, 0.5) * height
    ink: NDArray[np.float64] = (np.hypot(rows - row, columns - column) < radius).astype(np.float64)
    return ink


def _noise(height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    return generator.uniform(0.0, 1.0, (height, width))
