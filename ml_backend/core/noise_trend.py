"""What part of a novelty score the noise around an item explains: a noisy item must not be taken for a new kind.

An item's own sigma would not do: the model was trained on the pool's items, not on new ones. That of its neighbours in
the pool, itself excluded, is found in the same way for both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BINS, LEAST_PER_BIN = 10, 100
HIGH_QUANTILE = 0.95


@dataclass(frozen=True)
class NoiseTrend:
    """Median and upper spread of the pool's scores by log sigma: (n,) each, n = bins of equally many items."""

    log_sigma: NDArray[np.float64]
    middle: NDArray[np.float64]
    spread: NDArray[np.float64]

    @staticmethod
    def fit(sigma: NDArray[np.floating], scores: NDArray[np.floating]) -> NoiseTrend:
        """sigma: (N,) > 0, see `noise_around`; scores: (N,) of the same items."""
        log_sigma = np.log(sigma)
        n_bins = int(np.clip(len(scores) // LEAST_PER_BIN, 1, MOST_BINS))
        parts = [part for part in np.array_split(np.argsort(log_sigma, kind="stable"), n_bins) if len(part)]
        middle = [np.median(scores[part]) for part in parts]
        high = [np.quantile(scores[part], HIGH_QUANTILE) for part in parts]
        return NoiseTrend(
            np.array([np.median(log_sigma[part]) for part in parts]),
            np.array(middle),
            np.maximum(np.subtract(high, middle), 1e-6),
        )

    def without(self, sigma: NDArray[np.floating], scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n,) scores relative to those of pool items with the same sigma: locally weighted, Lei et al. 2018."""
        if not len(self.middle):
            return np.asarray(scores, np.float64)
        middle, spread = (np.interp(np.log(sigma), self.log_sigma, by) for by in (self.middle, self.spread))
        return np.asarray((scores - middle) / spread, np.float64)


def noise_around(sigma: NDArray[np.float32], neighbours: NDArray[np.int32]) -> NDArray[np.float32]:
    """(n,) the least sigma (N,) among each item's neighbours (n, k), -1 = none; the pool's median without any.

    The least, since noise is what all around have. A few items of a new kind in the pool are explained badly, which
    looks like noise; with the mean they would excuse all others of their kind (`docs/method.md`, "Novelty").
    """
    typical = np.float32(np.median(sigma) if len(sigma) else 1.0)
    if not neighbours.shape[1]:
        return np.full(len(neighbours), typical)
    least = np.where(neighbours >= 0, sigma[neighbours], np.float32(np.inf)).min(axis=1)
    return np.where(np.isfinite(least), least, typical)
