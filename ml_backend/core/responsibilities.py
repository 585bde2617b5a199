"""r_c(x) = q(c|x) as top-M sparse rows: what a publication caches of every item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ml_backend.errors import InputError


def row_sums(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) sums of many short rows (N, M): numpy's own `sum` takes four times as long."""
    return np.asarray(np.einsum("nm->n", values))


@dataclass(frozen=True)
class SparseResponsibilities:
    """The M largest responsibilities of each of N items over K components, exact (not renormalised).

    indices: (N, M) int32, component ids, by falling responsibility. log_r: (N, M) float32, log r_c at temperature 1.
    log_z_soft: (N,) float32, log sum_c r_c^(1/T) over all K, so that the softened values are exact as well.
    The mass that the M listed components leave out, 1 - values.sum(1), belongs to components about which nothing is
    listed.
    """

    indices: NDArray[np.int32]
    log_r: NDArray[np.float32]
    log_z_soft: NDArray[np.float32]
    n_components: int
    temperature: float

    def __post_init__(self) -> None:
        if self.indices.shape != self.log_r.shape or self.indices.ndim != 2:
            raise InputError(f"indices {self.indices.shape} and log_r {self.log_r.shape} must both be (N, M)")
        if self.log_z_soft.shape != (len(self.indices),):
            raise InputError(f"log_z_soft {self.log_z_soft.shape} must be ({len(self.indices)},)")

    def __len__(self) -> int:
        return len(self.indices)

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """(N, M) r_c(x) at temperature 1, in [0, 1]."""
        return np.asarray(np.exp(self.log_r), np.float32)

    @cached_property
    def soft(self) -> NDArray[np.float32]:
        """(N, M) r_c(x) softened by the score's temperature, in [0, 1]; equals `values` at temperature 1."""
        if self.temperature == 1.0:
            return self.values
        return np.asarray(np.exp(self.log_r / self.temperature - self.log_z_soft[:, None]), np.float32)

    def take(self, rows: NDArray[np.int64]) -> SparseResponsibilities:
        """The rows named, in that order."""
        return replace(self, indices=self.indices[rows], log_r=self.log_r[rows], log_z_soft=self.log_z_soft[rows])

    @staticmethod
    def concatenate(parts: Sequence[SparseResponsibilities]) -> SparseResponsibilities:
        """The rows of all parts, at least one; they have the same components and temperature."""
        return replace(
            parts[0],
            indices=np.concatenate([p.indices for p in parts]),
            log_r=np.concatenate([p.log_r for p in parts]),
            log_z_soft=np.concatenate([p.log_z_soft for p in parts]),
        )

    @staticmethod
    def from_logits(logits: NDArray[np.float32], *, top_m: int, temperature: float) -> SparseResponsibilities:
        """From unnormalised log r, (N, K); ties are broken by component id."""
        log_r = logits - logsumexp(logits, axis=1, keepdims=True)
        order = np.argsort(-log_r, axis=1, kind="stable")[:, :top_m]
        return SparseResponsibilities(
            indices=order.astype(np.int32),
            log_r=np.take_along_axis(log_r, order, axis=1).astype(np.float32),
            log_z_soft=logsumexp(log_r / temperature, axis=1).astype(np.float32),
            n_components=logits.shape[1],
            temperature=temperature,
        )
