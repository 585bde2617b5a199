"""Spherical k-means, which queries and component baselines share."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus

STEPS = 15
LOCAL_TRIALS = 2
"""Candidates for each starting point (k-means++)."""


def spherical_centres(rows: NDArray[np.float32], k: int, seed: int) -> NDArray[np.float32]:
    """(k, F) centres over rows (N, F) of length 1; k at most N."""
    start, _ = kmeans_plusplus(rows, k, random_state=seed, n_local_trials=LOCAL_TRIALS)
    clustering = faiss.Kmeans(rows.shape[1], k, niter=STEPS, seed=seed + 1, spherical=True, min_points_per_centroid=1)
    # all rows: faiss would look at 256 a centre
    clustering.cp.max_points_per_centroid = len(rows)
    clustering.train(np.ascontiguousarray(rows), init_centroids=np.ascontiguousarray(start))
    return np.asarray(clustering.centroids, np.float32)
