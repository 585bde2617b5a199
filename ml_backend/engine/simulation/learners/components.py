"""The label store on components without any VAE: a clustering's responsibilities, soft counts, tau.

Same store and calibration as Lantern's; how soft the responsibilities are is chosen by the leave-one-out likelihood of
the labels given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core import scores
from ml_backend.core.calibration import (
    apply_temperature,
    fit_temperature,
    negative_log_likelihood,
    without_floor,
)
from ml_backend.core.labels import LabelSet, class_probabilities, leave_one_out_probabilities, soft_counts, tau
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.engine.simulation.embedded import Embedded, Part, Rows
from ml_backend.engine.simulation.outcome import Fitted, Outcome

LISTED = 8
"""Components kept of an item, as many as Lantern keeps."""
CHUNK = 8192


@dataclass(frozen=True)
class Clustering:
    """logits: of each part, (n, K). sharpness: factors of the logits to choose from. novelty: of each part, (n,)."""

    logits: dict[Part, Rows]
    sharpness: tuple[float, ...]
    novelty: dict[Part, NDArray[np.float32]]


def components_for(data: Embedded) -> int:
    """As many as Lantern places."""
    return PoolSettings().placed(len(data.pool))


def fit_tau(clustering: Clustering, labels: LabelSet) -> Fitted:
    """p(y|x) = sum_c r_c tau[c, y] on the clustering."""
    labelled = clustering.logits["pool"][labels.rows]

    fits = [(*_left_out_cost(labelled, labels, sharpness), sharpness) for sharpness in clustering.sharpness]
    _, temperature, sharpness = min(fits)
    own = _responsibilities(labelled, sharpness)
    s = soft_counts(own, labels.targets, own.n_components)
    t = tau(s, None)

    def predict(part: Part) -> Outcome:
        r = _responsibilities(clustering.logits[part], sharpness)
        floor = (1.0 - scores.labelled_share(r, s, None)) / len(labels.classes)
        p = apply_temperature(without_floor(class_probabilities(r, t), floor), temperature)
        return Outcome.of(p, novelty=clustering.novelty[part], s_ood=scores.s_ood(r, t))

    return predict


def _left_out_cost(labelled: Rows, labels: LabelSet, sharpness: float) -> tuple[float, float]:
    """(negative log likelihood of each label given the others, temperature that makes it so small)."""
    own = _responsibilities(labelled, sharpness)
    s = soft_counts(own, labels.targets, own.n_components)
    left_out = without_floor(*leave_one_out_probabilities(own, labels.targets, s, None)).astype(np.float64)
    temperature = fit_temperature(left_out, labels.targets)
    return negative_log_likelihood(apply_temperature(left_out, temperature), labels.targets), temperature


def _responsibilities(logits: Rows, sharpness: float) -> SparseResponsibilities:
    """The LISTED largest of softmax(sharpness * logits); sorting all K of them would take most of a cell's time."""
    n, k = logits.shape
    listed = min(LISTED, k)
    indices, log_r = np.zeros((n, listed), np.int32), np.zeros((n, listed), np.float32)
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        scaled = logits[part] * np.float32(sharpness)
        top = np.argpartition(-scaled, listed - 1, axis=1)[:, :listed]
        value = np.take_along_axis(scaled, top, axis=1)
        order = np.argsort(-value, axis=1, kind="stable")
        indices[part] = np.take_along_axis(top, order, axis=1)
        log_r[part] = np.take_along_axis(value, order, axis=1) - _log_sum(scaled)
    return SparseResponsibilities(indices, log_r, np.zeros(n, np.float32), k, 1.0)


def _log_sum(logits: Rows) -> Rows:
    """(n, 1) log sum exp of each row."""
    top = logits.max(axis=1, keepdims=True)
    return np.asarray(top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True)), np.float32)
