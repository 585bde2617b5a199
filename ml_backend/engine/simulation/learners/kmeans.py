"""Spherical k-means + tau."""

from __future__ import annotations

import faiss
import numpy as np
from sklearn.cluster import kmeans_plusplus

from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import PARTS, Embedded, Part, Rows
from ml_backend.engine.simulation.learners.components import Clustering, components_for, fit_tau
from ml_backend.engine.simulation.outcome import Fitted

STEPS = 15
LOCAL_TRIALS = 2
"""Candidates for each starting point (k-means++)."""
KAPPAS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""Sharpness of r = softmax(kappa cos)."""


def fit_kmeans(data: Embedded, labels: LabelSet, seed: int, n_components: int | None = None) -> Fitted:
    """Novelty: 1 - cosine to the nearest centre."""
    c = centres(data.pool, n_components or components_for(data), seed)
    logits: dict[Part, Rows] = {part: data.rows[part] @ c.T for part in PARTS}
    novelty = {part: np.asarray(1.0 - cosine.max(axis=1, initial=-1.0)) for part, cosine in logits.items()}
    return fit_tau(Clustering(logits, KAPPAS, novelty), labels)


def centres(rows: Rows, k: int, seed: int) -> Rows:
    """(k, F) centres of spherical k-means over rows of length 1; k at most the number of rows."""
    start, _ = kmeans_plusplus(rows, k, random_state=seed, n_local_trials=LOCAL_TRIALS)
    clustering = faiss.Kmeans(rows.shape[1], k, niter=STEPS, seed=seed + 1, spherical=True, min_points_per_centroid=1)
    clustering.train(np.ascontiguousarray(rows), init_centroids=np.ascontiguousarray(start))
    return np.asarray(clustering.centroids, np.float32)
