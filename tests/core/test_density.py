"""The mixture density against scipy."""

from __future__ import annotations

import numpy as np
import pytest
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


def test_the_density_of_an_item_of_the_pool_leaves_the_item_out() -> None:
    random = np.random.default_rng(0)
    x, home = random.normal(size=(12, 3)).astype(np.float32), np.arange(12) % 2
    density = MixtureDensity(2, 3)
    density.means.copy_(torch.from_numpy(np.stack([x[home == c].mean(axis=0) for c in (0, 1)])))
    density.mass.fill_(6.0)
    density.log_weights.fill_(float(np.log(0.5)))
    found = density.log_density(torch.from_numpy(x), torch.eye(2)[home]).numpy()
    for i in range(12):
        others = np.arange(12) != i
        alone = MixtureDensity(2, 3)
        alone.means.copy_(torch.from_numpy(np.stack([x[others & (home == c)].mean(axis=0) for c in (0, 1)])))
        alone.log_weights.fill_(float(np.log(0.5)))
        assert found[i] == pytest.approx(float(alone.log_density(torch.from_numpy(x[i : i + 1]))[0]), abs=1e-4)
