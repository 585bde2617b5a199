"""Diagonal Gaussian mixture + tau: the nearest thing to the component VAE without a VAE."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import PARTS, Embedded, Part, Rows
from ml_backend.engine.simulation.learners.components import Clustering, components_for, fit_tau
from ml_backend.engine.simulation.outcome import Fitted

STEPS = 10
REGULARISATION = 1e-2
"""Added to each variance, in units of the mean variance: a component of two items must not shrink to nothing."""
SHARPNESS = (1.0, 0.5, 0.25, 0.12, 0.06, 0.03)
"""Powers of the responsibilities: in many dimensions a mixture is far too sure of itself."""


def fit_gmm(data: Embedded, labels: LabelSet, seed: int, n_components: int | None = None) -> Fitted:
    """On principal directions, started from k-means. Novelty: - log p(x)."""
    k = n_components or components_for(data)
    clustering = data.once(("mixture", k, seed), lambda: _clustering(data, k, seed))
    return fit_tau(clustering, labels)


def _clustering(data: Embedded, k: int, seed: int) -> Clustering:
    pool = data.reduced["pool"]
    home = (pool @ data.centres(k, seed).T).argmax(axis=1)
    mixture = _mixture(pool, home, seed)
    logits: dict[Part, Rows] = {part: _joint(mixture, rows) for part, rows in data.reduced.items()}
    novelty = {part: np.asarray(-logsumexp(logits[part], axis=1), np.float32) for part in PARTS}
    return Clustering(logits, SHARPNESS, novelty)


def _mixture(x: Rows, home: NDArray[np.int64], seed: int) -> GaussianMixture:
    """STEPS steps of EM from the clusters `home`."""
    used, counts = np.unique(home, return_counts=True)
    means = np.stack([x[home == c].mean(axis=0) for c in used])
    spread = np.square(x - means[np.searchsorted(used, home)]).mean(axis=0) + 1e-9
    mixture = GaussianMixture(
        len(used),
        covariance_type="diag",
        reg_covar=REGULARISATION * float(x.var(axis=0).mean()),
        max_iter=STEPS,
        tol=0.0,
        means_init=means,
        weights_init=counts / len(x),
        precisions_init=np.tile(1.0 / spread, (len(used), 1)),
        random_state=seed,
    )
    with warnings.catch_warnings():
        # tol = 0 makes it do every step, and scikit-learn says each time that it could have gone on.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(x)


def _joint(mixture: GaussianMixture, x: Rows) -> Rows:
    """(n, K) log pi_c + log N(x; mu_c, diag) without the constant."""
    precision = 1.0 / mixture.covariances_
    weighted = mixture.means_ * precision
    distance = np.square(x) @ precision.T - 2.0 * (x @ weighted.T) + (mixture.means_ * weighted).sum(axis=1)
    level = np.log(mixture.weights_) + 0.5 * np.log(precision).sum(axis=1)
    return np.asarray(level - 0.5 * distance, np.float32)
