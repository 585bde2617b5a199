"""Baselines: each fits the labels that somebody asked for, on the embeddings that Lantern gets."""

from __future__ import annotations

from collections.abc import Mapping

from ml_backend.engine.simulation.learners.gmm import fit_gmm
from ml_backend.engine.simulation.learners.kmeans import fit_kmeans
from ml_backend.engine.simulation.learners.logistic import fit_logistic
from ml_backend.engine.simulation.learners.nearest import fit_nearest
from ml_backend.engine.simulation.learners.poisson import fit_poisson
from ml_backend.engine.simulation.learners.spreading import fit_spreading
from ml_backend.engine.simulation.outcome import Learner

__all__ = ["LEARNERS", "fit_gmm", "fit_kmeans"]

LEARNERS: Mapping[str, Learner] = {
    "logreg": fit_logistic,
    "knn": fit_nearest,
    "labelspreading": fit_spreading,
    "poisson": fit_poisson,
    "kmeans+tau": fit_kmeans,
    "gmm+tau": fit_gmm,
}
"""Name in a result -> how it learns."""
