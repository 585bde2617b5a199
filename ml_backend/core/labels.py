"""The label store outside the model: soft counts s, tau, and p(y|x) = sum_c r_c(x) tau[c,y]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.errors import InputError


@dataclass(frozen=True)
class LabelSet:
    """The human labels of one label store.

    name: the store's key ("sentiment", or "topics/weather" for one choice of a multiple control).
    classes: Y class names. rows: (n,) int64 row numbers in the pool, unique.
    targets: (n, Y) float64, rows sum to 1: several annotators of one item share one unit of count.
    """

    name: str
    classes: tuple[str, ...]
    rows: NDArray[np.int64]
    targets: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.targets.shape != (len(self.rows), len(self.classes)):
            raise InputError(
                f"targets {self.targets.shape} of label set {self.name!r} must be ({len(self.rows)}, {len(self.classes)})"
            )
