"""Everything that a model says of a pool: the array part of a publication. Label-free, except for the heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.class_outliers import Surroundings
from ml_backend.core.component_graph import FIRST_REACH, REACH, TRUST, ComponentGraph
from ml_backend.core.head_answers import HeadAnswers
from ml_backend.core.responsibilities import SparseResponsibilities


@dataclass(frozen=True)
class PoolDescription:
    """One row per item of the pool.

    responsibilities: top-M r. neighbours: (N, k) int32 row numbers, nearest first, self excluded, -1 = none.
    similarities: (N, k) float32 cosine in [-1, 1], 0 where there is no neighbour.
    density: (N,) float32 in [0, 1], rank of the local density, 1 = most typical of the pool.
    novelty: (N,) float32 in (0, 1], conformal p-value, LOW = nothing like it was ever seen.
    aleatoric: (N,) float32 > 0, mean decoder sigma in units of the model's input.
    heads: name of a label set -> what the head fitted after the last training says of the items.
    component_cosines: (K, K) float32 in [-1, 1], of the components' prototypes; None for items outside the pool.
    copies: (N,) int32, equal numbers below N for items of the same content (`core.copies`); None for items outside the
    pool, of which each counts as the only one of its kind.
    directions: (N, F) float16, where neighbours are sought, of length 1; None for items outside the pool.
    base: what this one differs from in novelty alone, so that the rest is made once for both; None: nothing.
    """

    responsibilities: SparseResponsibilities
    neighbours: NDArray[np.int32]
    similarities: NDArray[np.float32]
    density: NDArray[np.float32]
    novelty: NDArray[np.float32]
    aleatoric: NDArray[np.float32]
    heads: Mapping[str, HeadAnswers] = field(default_factory=dict)
    component_cosines: NDArray[np.float32] | None = None
    copies: NDArray[np.int32] | None = None
    directions: NDArray[np.float16] | None = None
    base: PoolDescription | None = None

    @cached_property
    def component_graph(self) -> ComponentGraph:
        """How far a label on one component speaks for another; made once."""
        return self.base.component_graph if self.base is not None else self._graph(REACH, TRUST)

    @cached_property
    def first_component_graph(self) -> ComponentGraph:
        """The same with longer walks that are believed as they are, for the first questions of a session; made once."""
        return self.base.first_component_graph if self.base is not None else self._graph(FIRST_REACH, 0.0)

    @cached_property
    def surroundings(self) -> Surroundings | None:
        """Where small groups are looked for; made once. None where the directions are not known."""
        if self.base is not None:
            return self.base.surroundings
        return None if self.directions is None else Surroundings.of(self.directions, self.neighbours)

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """(N,) the same number for copies; numbers of their own where copies are not known."""
        return np.arange(len(self), dtype=np.int32) if self.copies is None else self.copies

    def __len__(self) -> int:
        return len(self.density)

    def with_novelty(self, novelty: NDArray[np.float32]) -> PoolDescription:
        """The same items with other p-values (N,)."""
        return replace(self, novelty=novelty, base=self if self.base is None else self.base)

    def take(self, rows: NDArray[np.int64]) -> PoolDescription:
        """Some rows; their neighbours go on pointing into the whole, and the components stay. Without directions: who
        is farthest from a class, all items have to say.
        """
        return replace(
            self,
            responsibilities=self.responsibilities.take(rows),
            neighbours=self.neighbours[rows],
            similarities=self.similarities[rows],
            density=self.density[rows],
            novelty=self.novelty[rows],
            aleatoric=self.aleatoric[rows],
            copies=None if self.copies is None else self.copies[rows],
            directions=None,
            base=None,
            heads={name: answers.take(rows) for name, answers in self.heads.items()},
        )

    def _graph(self, reach: float, trust: float) -> ComponentGraph:
        return ComponentGraph.of(
            self.responsibilities, self.neighbours, self.similarities, reach, self.component_cosines, trust=trust
        )
