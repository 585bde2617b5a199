"""The mixture density against scipy."""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from ml_backend.core.density import MixtureDensity


def test_log_density_is_that_of_the_gaussian_mixture() -> None:
    torch.manual_seed(0)
    density = MixtureDensity(4, 3)
    density.means.copy_(torch.randn(4, 3))
    density.variance.copy_(torch.rand(3) + 0.1)
    density.log_weights.copy_(torch.log_softmax(torch.randn(4), 0))
    base = torch.randn(20, 3)
    parts = [
        float(w) + multivariate_normal(m.numpy(), np.diag(density.variance.numpy())).logpdf(base.numpy())
        for w, m in zip(density.log_weights, density.means, strict=True)
    ]
    assert np.allclose(density.log_density(base).numpy(), logsumexp(parts, axis=0), atol=1e-4)
