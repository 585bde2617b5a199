"""What a method says of items, in one form for all methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import Embedded, Part


@dataclass(frozen=True)
class Outcome:
    """All (n,). label: int32 position in the classes of the labels given. confidence: float32 in [0, 1], HIGH = sure.

    novelty, s_ood: HIGH = belongs to no class, any scale; None where a method has no such score. p_label: like label,
    from p(y|x) = sum_c r_c tau alone, of a method whose label says more than that.
    """

    label: NDArray[np.int32]
    confidence: NDArray[np.float32]
    novelty: NDArray[np.float32] | None = None
    s_ood: NDArray[np.float32] | None = None
    p_label: NDArray[np.int32] | None = None

    @staticmethod
    def of(
        probabilities: NDArray[np.floating],
        *,
        novelty: NDArray[np.float32] | None = None,
        s_ood: NDArray[np.float32] | None = None,
    ) -> Outcome:
        """probabilities: (n, Y). Without an s_ood of its own a method's lack of confidence stands in."""
        confidence = probabilities.max(axis=1).astype(np.float32)
        return Outcome(
            label=probabilities.argmax(axis=1).astype(np.int32),
            confidence=confidence,
            novelty=novelty,
            s_ood=1.0 - confidence if s_ood is None else s_ood,
        )


Fitted = Callable[[Part], Outcome]
"""A learner that has seen the labels answers for a part of the problem."""


class Learner(Protocol):
    """A baseline: fits the labels of some pool rows; never sees any other."""

    def __call__(self, data: Embedded, labels: LabelSet, seed: int) -> Fitted: ...
