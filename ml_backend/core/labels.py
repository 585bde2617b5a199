"""The label store outside the model: soft counts s, tau, and p(y|x) = sum_c r_c(x) tau[c,y]."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.errors import ConfigError, InputError

TARGET_SUM_TOLERANCE = 1e-6


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
                f"targets {self.targets.shape} of label set {self.name!r} must be"
                f" ({len(self.rows)}, {len(self.classes)})"
            )


def check_label_set(labels: LabelSet, n_items: int) -> None:
    """Raises InputError unless the rows are distinct rows of a pool of n_items and every target is a distribution."""
    if not len(labels.classes):
        raise InputError(f"label set {labels.name!r} has no classes")
    if not len(labels.rows):
        return
    if labels.rows.min() < 0 or labels.rows.max() >= n_items:
        raise InputError(f"label set {labels.name!r} names row {labels.rows.max()}, but the pool has {n_items} items")
    if len(np.unique(labels.rows)) != len(labels.rows):
        raise InputError(
            f"label set {labels.name!r} names a row twice: merge the annotators of one item into one target"
        )
    if not np.all(np.isfinite(labels.targets)) or labels.targets.min() < 0:
        raise InputError(f"label set {labels.name!r} has a target that is negative or not finite")
    if np.abs(labels.targets.sum(axis=1) - 1.0).max() > TARGET_SUM_TOLERANCE:
        raise InputError(f"label set {labels.name!r} has a target that does not sum to 1")


def same_answers(label_sets: Sequence[LabelSet], n_items: int) -> NDArray[np.int64]:
    """(N,) equal numbers for items that were given the same label in every set; who has none has a number of its own.

    Of several annotators the label that most gave counts.
    """
    answers = n_items + np.arange(n_items)
    if not label_sets:
        return answers
    rows = np.unique(np.concatenate([labels.rows for labels in label_sets]))
    given = np.full((len(rows), len(label_sets)), -1, np.int64)
    for column, labels in zip(given.T, label_sets, strict=True):
        column[np.searchsorted(rows, labels.rows)] = labels.targets.argmax(axis=1)
    if len(rows):
        answers[rows] = np.unique(given, axis=0, return_inverse=True)[1].ravel()
    return answers


def as_matrix(responsibilities: SparseResponsibilities) -> sparse.csr_matrix:
    """(N, K) float32 sparse matrix of r at temperature 1."""
    n, m = responsibilities.indices.shape
    starts = np.arange(0, n * m + 1, m, dtype=np.int32) if m else np.zeros(n + 1, np.int32)
    flat = (responsibilities.values.ravel(), responsibilities.indices.ravel(), starts)
    return sparse.csr_matrix(flat, shape=(n, responsibilities.n_components), copy=False)


def leftover(responsibilities: SparseResponsibilities) -> NDArray[np.float32]:
    """(N,) in [0, 1], the mass of r outside the listed components."""
    return np.asarray(np.clip(1.0 - responsibilities.values.sum(axis=1), 0.0, 1.0))


def soft_counts(
    responsibilities: SparseResponsibilities, targets: NDArray[np.float64], n_components: int
) -> NDArray[np.float64]:
    """s[c, y] = sum_i r_c(x_i) t_i[y], (K, Y): how much of each label fell on each component.

    responsibilities: of the n labelled items, in the order of targets (n, Y).
    """
    if len(responsibilities) != len(targets):
        raise InputError(f"{len(responsibilities)} rows of responsibilities for {len(targets)} targets")
    if responsibilities.n_components != n_components:
        raise InputError(f"responsibilities over {responsibilities.n_components} components, expected {n_components}")
    return np.asarray(as_matrix(responsibilities).T.astype(np.float64) @ targets, dtype=np.float64)


def component_means(responsibilities: SparseResponsibilities, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(K,) mean of an item's value (N,) over each component, weighed with r; 0 where nothing belongs to it."""
    r = as_matrix(responsibilities)
    mass = np.asarray(r.sum(axis=0), np.float64).ravel()
    return np.asarray(np.asarray(r.T @ values, np.float64) / np.maximum(mass, np.finfo(np.float64).tiny))


def sample_coverage(targets: NDArray[np.float64]) -> float:
    """Chance in [0, 1] that one more label names a class already met, less its standard error: few prove nothing.

    1 - f1 / n (Good 1953, Turing's estimate), variance (f1 (1 - f1 / n) + 2 f2) / n^2 (Esty 1983). targets: (L, Y), a
    unit of count each, n in all. f1, f2: classes with more than none and up to one, up to two units. 0 without labels.
    """
    of_class = targets.sum(axis=0)
    n = float(of_class.sum())
    if n <= 0.0:
        return 0.0
    once = float(np.sum((of_class > 0.0) & (of_class <= 1.0)))
    twice = float(np.sum((of_class > 1.0) & (of_class <= 2.0)))
    coverage = 1.0 - once / n
    error = math.sqrt(max(once * coverage + 2.0 * twice, 0.0)) / n
    return min(max(coverage - error, 0.0), 1.0)


def resolve_alpha0(alpha0: float | None, n_classes: int) -> float:
    """The smoothing per class: 1/Y unless given, so that an unlabelled component weighs one label in all."""
    if alpha0 is None:
        return 1.0 / n_classes
    if not (math.isfinite(alpha0) and alpha0 > 0):
        raise ConfigError(f"alpha0 {alpha0!r} must be a finite number > 0")
    return alpha0


def tau(s: NDArray[np.float64], alpha0: float | None) -> NDArray[np.float64]:
    """tau[c, y] = (s[c, y] + alpha0) / sum_y (s[c, y] + alpha0), (K, Y), rows sum to 1; 1/Y without labels."""
    smoothed = s + resolve_alpha0(alpha0, s.shape[1])
    return np.asarray(smoothed / smoothed.sum(axis=1, keepdims=True))


def class_probabilities(responsibilities: SparseResponsibilities, tau: NDArray[np.float64]) -> NDArray[np.float32]:
    """p(y|x) = sum_c r_c(x) tau[c, y], (N, Y), rows sum to 1.

    The mass that the listed components leave out counts as a component without labels: 1/Y for every class.
    """
    if len(tau) != responsibilities.n_components:
        raise InputError(f"tau of {len(tau)} components for responsibilities over {responsibilities.n_components}")
    floor = leftover(responsibilities) / np.float32(tau.shape[1])
    return mixture(as_matrix(responsibilities), tau.astype(np.float32), floor)


def mixture(r: sparse.csr_matrix, tau: NDArray[np.float32], floor: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, Y) the same from r as a matrix (n, K); floor: (n,) what every class gets of the mass that r leaves out."""
    p = np.asarray(r @ tau)
    p += floor[:, None]
    return p


def disagreement(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) in [0, 1]: entropy of the annotators' split over the largest possible for as many named classes.

    0 = all agree, 1 = every class that anyone named was named equally often.
    """
    entropy = -np.sum(np.where(targets > 0, targets * np.log(np.where(targets > 0, targets, 1.0)), 0.0), axis=1)
    named = np.maximum(np.count_nonzero(targets, axis=1), 2)
    return np.asarray(np.clip(entropy / np.log(named), 0.0, 1.0))


def leave_one_out_probabilities(
    responsibilities: SparseResponsibilities,
    targets: NDArray[np.float64],
    s: NDArray[np.float64],
    alpha0: float | None,
    *,
    chunk: int = 2048,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """p(y|x_i) of each labelled item from the labels of all others, (n, Y), and its floor, (n,): own count taken off s.

    responsibilities, targets: of the n labelled items; s: (K, Y) from all of them.
    """
    alpha = resolve_alpha0(alpha0, s.shape[1])
    totals = s.sum(axis=1) + alpha * s.shape[1]
    p, floor = np.empty_like(targets), np.empty(len(targets))
    for start in range(0, len(targets), chunk):
        part = slice(start, start + chunk)
        index, r = responsibilities.indices[part], responsibilities.values[part].astype(np.float64)
        rest = np.clip(1.0 - r.sum(axis=1), 0.0, 1.0) / s.shape[1]
        p[part], floor[part] = 0.0, rest
        for m in range(index.shape[1]):  # one listed component at a time: (chunk, M, Y) at once would be large
            own = r[:, m, None] * targets[part]
            scale = r[:, m] / np.maximum(totals[index[:, m]] - r[:, m], alpha * s.shape[1])
            p[part] += scale[:, None] * np.maximum(s[index[:, m]] - own, 0.0)
            floor[part] += scale * alpha
        p[part] += floor[part, None]
    return p, floor
