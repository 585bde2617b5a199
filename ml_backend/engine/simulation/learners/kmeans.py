"""Spherical k-means + tau."""

from __future__ import annotations

import numpy as np

from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import PARTS, Embedded, Part, Rows
from ml_backend.engine.simulation.learners.components import Clustering, components_for, fit_tau
from ml_backend.engine.simulation.outcome import Fitted

KAPPAS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""Sharpness of r = softmax(kappa cos)."""


def fit_kmeans(data: Embedded, labels: LabelSet, seed: int, n_components: int | None = None) -> Fitted:
    """Novelty: 1 - cosine to the nearest centre."""
    c = data.centres(n_components or components_for(data), seed)
    logits: dict[Part, Rows] = {part: data.reduced[part] @ c.T for part in PARTS}
    novelty = {part: np.asarray(1.0 - cosine.max(axis=1, initial=-1.0)) for part, cosine in logits.items()}
    return fit_tau(Clustering(logits, KAPPAS, novelty), labels)
