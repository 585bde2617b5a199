"""What the label store and the description say of each item: every score in [0, 1], each with its direction.

s_ood      HIGH = out of distribution or out of the labels: 1 - max_c r_c max_y tau (the seed formula)
evidence   HIGH = many labels on the item's components: n(x) / (1 + n(x)), n(x) = sum_c r_c n_c
ambiguity  HIGH = the labels that reach the item conflict; 0 where no label reaches it
Novelty, which needs no labels, is in `novelty.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import leftover, resolve_alpha0
from ml_backend.core.responsibilities import SparseResponsibilities


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
