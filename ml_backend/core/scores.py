"""What the label store and the description say of each item: every score in [0, 1], each with its direction.

s_ood      HIGH = out of distribution or out of the labels: 1 - max_c r_c max_y tau (the seed formula)
evidence   HIGH = many labels on the item's components: n(x) / (1 + n(x)), n(x) = sum_c r_c n_c
ambiguity  HIGH = the labels that reach the item conflict; 0 where no label reaches it
novelty    p-value, LOW = nothing like it was ever seen (conformal, see `NoveltyReference`)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ml_backend.core.labels import leftover, resolve_alpha0
from ml_backend.core.noise_trend import NoiseTrend
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.errors import InputError

DENSITY_WEIGHT = 0.25
"""Weight of the mixture density beside the neighbour distance (weight 1) in the novelty score. The pool's own items had
a say in where its components are: at 1/2, .4 % more of ordinary new items (CLINC150, train and val) get p <= .05."""

OUTSIDE_FROM, OUTSIDE_WEIGHT = 2.0, 4.0
"""What lies outside the pool's pictures counts only far beyond the ordinary (2 = twice as far above the median as the
95th percentile), and then a lot: below, it says how much ink there is (added plainly, it cost 5 to 10 points of AUROC
on held-out digits)."""


def s_ood(responsibilities: SparseResponsibilities, tau: NDArray[np.float64]) -> NDArray[np.float32]:
    """(N,) 1 - max_c (r_c max_y tau[c, y]), HIGH = unknown; r softened by the responsibilities' temperature (1: exact).

    The maximum runs over the listed components, whose r are the largest.
    """
    peak = tau.max(axis=1).astype(np.float32)
    best: NDArray[np.float32] = (responsibilities.soft * peak[responsibilities.indices]).max(axis=1)
    return np.clip(1.0 - best, 0.0, 1.0)


def label_count(responsibilities: SparseResponsibilities, s: NDArray[np.float64]) -> NDArray[np.float32]:
    """(N,) n(x) = sum_c r_c n_c >= 0, in labels: how many labels lie on the item's components, n_c = sum_y s[c, y]."""
    per_component = s.sum(axis=1).astype(np.float32)
    return np.asarray((responsibilities.values * per_component[responsibilities.indices]).sum(axis=1), np.float32)


def evidence(responsibilities: SparseResponsibilities, s: NDArray[np.float64]) -> NDArray[np.float32]:
    """(N,) n(x) / (1 + n(x)) in [0, 1), HIGH = its components hold many labels, 0 = a group without any label."""
    count = label_count(responsibilities, s)
    return np.asarray(count / (1.0 + count), np.float32)


def labelled_share(
    responsibilities: SparseResponsibilities, s: NDArray[np.float64], alpha0: float | None
) -> NDArray[np.float32]:
    """(N,) in [0, 1], the part of p(y|x) that comes from labels and not from the smoothing.

    p(y|x) = sum_c r_c s[c,y] / (n_c + alpha0 Y) + f(x), with the same f(x) for every class; this is 1 - Y f(x).
    """
    n_classes = s.shape[1]
    mass = resolve_alpha0(alpha0, n_classes) * n_classes
    floor = (mass / (s.sum(axis=1) + mass)).astype(np.float32)
    unlabelled = (responsibilities.values * floor[responsibilities.indices]).sum(axis=1) + leftover(responsibilities)
    return np.asarray(np.clip(1.0 - unlabelled, 0.0, 1.0), np.float32)


def ambiguity(
    share: NDArray[np.float32], first: NDArray[np.float32], second: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(N,) the labelled share of p minus the margin of its two best classes, HIGH = the labels that reach it conflict.

    share: `labelled_share`. first, second: the two largest p(y|x), or first twice where there is one class only.
    """
    return np.clip(share - (first - second), 0.0, 1.0).astype(np.float32)


def typicality(similarities: NDArray[np.float32], reference: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """(N,) in [0, 1]: rank of the mean cosine to the neighbours among `reference` (sorted) or all, 1 = typical."""
    mean = mean_similarity(similarities)
    ordered = np.sort(mean) if reference is None else reference
    if not len(ordered):
        return np.ones(len(mean), np.float32)
    middle = np.searchsorted(ordered, mean, side="left") + np.searchsorted(ordered, mean, side="right")
    return np.asarray(middle / (2.0 * len(ordered)), np.float32)


def mean_similarity(similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) mean cosine to the neighbours, 0 without any."""
    if not similarities.shape[1]:
        return np.zeros(len(similarities), np.float32)
    return np.asarray(similarities.mean(axis=1, dtype=np.float32))


def far_similarity(similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) mean cosine to the neighbours but the nearest 30 %, 0 without any; similarities: (N, k), nearest first.

    Pools hold near-copies, such as rephrasings written in one go. A new item has no such twin: by its nearest
    neighbours it would look stranger than it is (CLINC150: 6.7 % of ordinary items at level .05, 5.8 % so).
    """
    return mean_similarity(similarities[:, 3 * similarities.shape[1] // 10 :])


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
    """What novelty is judged by, of n items.

    similarities: (n, k) cosine to the neighbours in the pool, nearest first. log_density: (n,) nats, higher = typical.
    outside: (n,) >= 0, higher = farther from the pool's pictures; 0 for vectors. sigma: (n,) > 0, mean decoder sigma
    of the neighbours.
    """

    similarities: NDArray[np.float32]
    log_density: NDArray[np.float32]
    outside: NDArray[np.float32]
    sigma: NDArray[np.float32]

    def __post_init__(self) -> None:
        if not len(self.similarities) == len(self.log_density) == len(self.outside) == len(self.sigma):
            raise InputError(f"{len(self.similarities)} rows of similarities for {len(self.log_density)} densities")


@dataclass(frozen=True)
class NoveltyReference:
    """The pool's own novelty scores, against which new items are compared.

    distance, strangeness, outside, combined: (N,) sorted float32; distance = 1 - `far_similarity` (self excluded),
    strangeness = - log mixture density. combined = the normal scores of these two, with weights 1 and DENSITY_WEIGHT,
    relative to the `trend` of items as noisy, plus what lies far `outside`. They are ranked first, since their units
    have nothing in common; the sum is recalibrated by its own ranks, since they depend on each other.
    """

    distance: NDArray[np.float32]
    strangeness: NDArray[np.float32]
    outside: NDArray[np.float32]
    trend: NoiseTrend
    combined: NDArray[np.float32]

    @staticmethod
    def fit(traits: NoveltyTraits) -> NoveltyReference:
        """traits: of the pool's own items, each left out of its neighbours and density."""
        similarities, log_density = traits.similarities, traits.log_density
        distance, strangeness = 1.0 - far_similarity(similarities), -log_density
        nothing = np.empty(0, np.float32)
        parts = np.sort(distance), np.sort(strangeness), np.sort(traits.outside)
        ordered = NoveltyReference(*parts, NoiseTrend.fit(nothing, nothing), nothing)
        ordered = replace(ordered, trend=NoiseTrend.fit(traits.sigma, ordered._strangeness(traits)))
        return replace(ordered, combined=np.sort(ordered.score(traits)))

    def score(self, traits: NoveltyTraits) -> NDArray[np.float32]:
        """(n,) combined novelty score, HIGH = strange, of any items."""
        alien = np.maximum(_excess(self.outside, traits.outside) - OUTSIDE_FROM, 0.0)
        among_as_noisy = self.trend.without(traits.sigma, self._strangeness(traits))
        return (among_as_noisy + OUTSIDE_WEIGHT * alien).astype(np.float32)

    def _strangeness(self, traits: NoveltyTraits) -> NDArray[np.float64]:
        near = _normal_score(self.distance, 1.0 - far_similarity(traits.similarities))
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
