"""Novelty: a p-value, LOW = nothing like the item was ever seen in the pool. It needs no labels.

An item is strange if its neighbours are far, farther than they are from their own neighbours (the local outlier factor,
Breunig et al. 2000), and where the components have little density.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ml_backend.core.noise_trend import NoiseTrend
from ml_backend.errors import InputError

DENSITY_WEIGHT = 0.25
"""Weight of the mixture density beside the neighbour distance (weight 1) in the novelty score. The pool's own items had
a say in where its components are: at 1/2, .4 % more of ordinary new items (CLINC150, train and val) get p <= .05."""

LOCAL_WEIGHT = 0.5
"""Weight of how much farther an item's neighbours are than their own. `docs/method.md`, "Novelty", has what it brings;
at 1, a few items of a new kind in the pool hide the others."""

LEAST_DISTANCE = 1e-3
"""Cosine distance below which neighbours count as copies of each other: no item is infinitely farther than they."""

OUTSIDE_FROM, OUTSIDE_WEIGHT = 2.0, 4.0
"""What lies outside the pool's pictures counts only far beyond the ordinary (2 = twice as far above the median as the
95th percentile), and then a lot: below, it says how much ink there is (added plainly, it cost 5 to 10 points of AUROC
on held-out digits)."""


def far_distance(similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) in [0, 2], 1 - mean cosine to the neighbours but the nearest 30 %; 1 without any.

    similarities: (N, k), nearest first. Pools hold near-copies, such as rephrasings written in one go. A new item has
    no such twin: by its nearest neighbours it would look stranger than it is (CLINC150: 6.7 % of ordinary items at
    level .05, 5.8 % so).
    """
    far = similarities[:, 3 * similarities.shape[1] // 10 :]
    if not far.shape[1]:
        return np.ones(len(similarities), np.float32)
    return np.asarray(1.0 - far.mean(axis=1, dtype=np.float32), np.float32)


def distance_around(distance: NDArray[np.float32], neighbours: NDArray[np.int32]) -> NDArray[np.float32]:
    """(n,) median `far_distance` (N,) of the pool's items that are neighbours (n, k) of an item, -1 = none.

    Without any neighbour the pool's median.
    """
    typical = np.float32(np.median(distance) if len(distance) else 1.0)
    found = (neighbours >= 0).sum(axis=1)
    if not neighbours.shape[1]:
        return np.full(len(neighbours), typical)
    ordered = np.sort(np.where(neighbours >= 0, distance[neighbours], np.float32(np.inf)), axis=1)
    rows, last = np.arange(len(neighbours)), np.maximum(found - 1, 0)
    middle = (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2]) / np.float32(2.0)
    return np.where(found > 0, middle, typical)


def conformal_p_values(reference: NDArray[np.floating], scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """p = (1 + #{reference >= score}) / (n + 1) in (0, 1], LOW = stranger than the reference.

    reference: (n,) SORTED scores of items exchangeable with ordinary new ones. Valid on its own: at most a share a of
    ordinary items gets p <= a (Bates et al. 2021). The least value is 1 / (n + 1): with few reference items nothing
    can be rare.
    """
    above = len(reference) - np.searchsorted(reference, scores, side="left")
    return ((1.0 + above) / (len(reference) + 1.0)).astype(np.float32)


def own_p_values(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """`conformal_p_values` of each item against all the others (itself excluded), (N,) in (0, 1]."""
    above = len(scores) - np.searchsorted(
        np.sort(scores), scores, side="left"
    )  # counts the item itself: the 1 of the formula
    return (above / max(len(scores), 1)).astype(np.float32)


@dataclass(frozen=True)
class NoveltyTraits:
    """What novelty is judged by, of n items. All (n,) float32.

    distance: `far_distance` to the neighbours in the pool, higher = stranger. around: `distance_around`, the same of
    those neighbours themselves. log_density: nats, higher = typical. outside: >= 0, higher = farther from the pool's
    pictures; 0 for vectors. sigma: > 0, `noise_around` of the neighbours.
    """

    distance: NDArray[np.float32]
    around: NDArray[np.float32]
    log_density: NDArray[np.float32]
    outside: NDArray[np.float32]
    sigma: NDArray[np.float32]

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in vars(self).items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"traits of different numbers of items: {lengths}")

    @property
    def relative(self) -> NDArray[np.float32]:
        """(n,) >= 0, how many times farther an item is from its neighbours than they are from theirs."""
        return np.asarray(np.maximum(self.distance, 0.0) / np.maximum(self.around, LEAST_DISTANCE), np.float32)


@dataclass(frozen=True)
class NoveltyReference:
    """The pool's own novelty scores, against which new items are compared.

    distance, relative, strangeness, outside, combined: (N,) sorted float32. distance and strangeness, - log mixture
    density, leave the item itself out; the lists of its neighbours, for relative, may hold it. combined = the normal
    scores of the first three, with weights 1, LOCAL_WEIGHT and DENSITY_WEIGHT, relative to the `trend` of items as
    noisy, plus what lies far `outside`. They are ranked first, since their units have nothing in common; the sum is
    recalibrated by its own ranks, since they depend on each other.
    """

    distance: NDArray[np.float32]
    relative: NDArray[np.float32]
    strangeness: NDArray[np.float32]
    outside: NDArray[np.float32]
    trend: NoiseTrend
    combined: NDArray[np.float32]

    @staticmethod
    def fit(traits: NoveltyTraits) -> NoveltyReference:
        """traits: of the pool's own items, each left out of its neighbours and density."""
        nothing = np.empty(0, np.float32)
        ordered = NoveltyReference(
            distance=np.sort(traits.distance),
            relative=np.sort(traits.relative),
            strangeness=np.sort(-traits.log_density),
            outside=np.sort(traits.outside),
            trend=NoiseTrend.fit(nothing, nothing),
            combined=nothing,
        )
        ordered = replace(ordered, trend=NoiseTrend.fit(traits.sigma, ordered._strangeness(traits)))
        return replace(ordered, combined=np.sort(ordered.score(traits)))

    def score(self, traits: NoveltyTraits) -> NDArray[np.float32]:
        """(n,) combined novelty score, HIGH = strange, of any items."""
        alien = np.maximum(_excess(self.outside, traits.outside) - OUTSIDE_FROM, 0.0)
        among_as_noisy = self.trend.without(traits.sigma, self._strangeness(traits))
        return (among_as_noisy + OUTSIDE_WEIGHT * alien).astype(np.float32)

    def _strangeness(self, traits: NoveltyTraits) -> NDArray[np.float64]:
        near = _normal_score(self.distance, traits.distance) + LOCAL_WEIGHT * _normal_score(
            self.relative, traits.relative
        )
        return near + DENSITY_WEIGHT * _normal_score(self.strangeness, -traits.log_density)

    def p_values(self, traits: NoveltyTraits) -> NDArray[np.float32]:
        """(n,) conformal p-value of NEW items, LOW = never seen."""
        return conformal_p_values(self.combined, self.score(traits))


def _excess(ordered: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distance above the median in units of the 95th percentile's; 0 where nothing varies."""
    if not len(ordered):
        return np.zeros(len(values))
    middle, high = np.quantile(ordered, [0.5, 0.95])
    return np.asarray((values - middle) / (high - middle), np.float64) if high > middle else np.zeros(len(values))


def _normal_score(ordered: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Normal quantile of the rank in `ordered`; it goes on rising above, so that strange items stay comparable."""
    n = len(ordered)
    if n == 0:
        return np.zeros(len(values))
    middle = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    score = ndtri(np.clip(middle / (2.0 * n), 0.5 / n, 1.0 - 0.5 / n))
    scale = max(float(ordered[-1] - ordered[n // 2]), 1e-12)
    return np.asarray(score + np.maximum(values - ordered[-1], 0.0) / scale)
