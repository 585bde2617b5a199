"""What is set from moments of the pool: density, templates, prior, pi, latents; and what is read near these: sigma."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml_backend.core.batches import PoolBatches
from ml_backend.core.density import MIN_VARIANCE
from ml_backend.core.initialise import fit_latents, fit_prior, medoids
from ml_backend.core.model import ComponentModel
from ml_backend.core.nets import VectorDecoder
from ml_backend.core.vae import ComponentVAE
from tests.core.synthetic import blobs
from tests.core.test_model import CONFIG, K, model_of
from tests.core.test_vae import all_moments

N = 150


class Pool:
    """A new model and its pool as it sees it: r (N, K), inputs, base; shifts are no longer zero."""

    def __init__(self) -> None:
        self.x: NDArray[np.float32] = blobs(N, 4, 20, seed=3, noise=0.8)[0]
        self.model: ComponentModel = model_of(self.x, replace(CONFIG, top_m=K))
        self.vae = self.model._vae
        torch.manual_seed(0)
        self.batches = PoolBatches(self.model._backbone, self.x, torch.device("cpu"))
        self.inputs, self.base = self.batches.take(np.arange(N))
        with torch.no_grad():
            self.inference = self.vae.infer(self.inputs, self.base)
            self.vae.shift.weight.normal_()
            self.vae.decoder.get_parameter("out.weight").normal_()  # so that sigma depends on z and c
        self.r: Tensor = self.inference.log_r.exp()


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool()


@torch.no_grad()
def test_the_density_has_the_moments_within_components(pool: Pool) -> None:
    density, mass = pool.model._density, pool.r.sum(0)
    means = torch.stack([(pool.r[:, c, None] * pool.base).sum(0) / mass[c] for c in range(K)])
    scatter = sum((pool.r[:, c, None] * (pool.base - means[c]).square()).sum(0) for c in range(K)) / torch.full(
        (1,), float(N)
    )
    torch.testing.assert_close(density.means, means, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(density.variance, scatter.clamp_min(MIN_VARIANCE), atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(density.log_weights.exp(), mass / N, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_templates_are_the_mean_inputs_of_their_components(pool: Pool) -> None:
    assert isinstance(pool.vae.decoder, VectorDecoder)
    total = pool.r.T @ pool.inputs
    torch.testing.assert_close(
        pool.vae.decoder.template.weight, total / pool.r.sum(0)[:, None].clamp_min(1.0), atol=1e-4, rtol=1e-4
    )


@torch.no_grad()
def test_pi_and_usage_begin_at_the_sizes_of_the_clusters(pool: Pool) -> None:
    nearest = torch.cdist(pool.base, pool.vae.prototypes).argmin(1)
    share = torch.bincount(nearest, minlength=K) / N
    torch.testing.assert_close(pool.vae.log_pi.exp(), share)
    torch.testing.assert_close(pool.vae.usage, share)


@torch.no_grad()
def test_the_latents_of_a_component_have_the_moments_of_q_and_one_item_of_the_pools(pool: Pool) -> None:
    """Mean and variance of z ~ q(z|x,c) weighted by r, its own variance with it; the shift moves the mean along."""
    fit_latents(pool.vae, pool.batches)
    mean, second = pool.inference.mean, pool.inference.mean.square() + pool.inference.log_variance.exp()
    for c in range(K):
        weight, mass = pool.r[:, c, None], pool.r[:, c].sum()
        first_c = ((weight * mean).sum(0) + mean.mean(0)) / (mass + 1)
        second_c = ((weight * second).sum(0) + second.mean(0)) / (mass + 1)
        torch.testing.assert_close(pool.vae.latent_mean[c], first_c + pool.vae.shift.weight[c], atol=1e-4, rtol=1e-4)
        variance = (second_c - first_c.square()).clamp(0.01, 4.0)
        torch.testing.assert_close(pool.vae.latent_log_variance[c].exp(), variance, atol=1e-4, rtol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("fit", [fit_prior, fit_latents], ids=["at the beginning", "after a run"])
def test_a_mixture_prior_is_where_the_latents_are(pool: Pool, fit: Callable[[ComponentVAE, PoolBatches], None]) -> None:
    vae = deepcopy(pool.vae)
    vae.use_prior("mixture", replace(CONFIG, top_m=K))
    fit(vae, pool.batches)
    fit_latents(pool.vae, pool.batches)
    mean, log_variance = all_moments(vae)
    torch.testing.assert_close(mean, pool.vae.latent_mean)
    torch.testing.assert_close(log_variance, pool.vae.latent_log_variance, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_medoids_are_the_items_nearest_to_the_prototypes(pool: Pool) -> None:
    vae = deepcopy(pool.vae)
    vae.residual.weight.normal_()  # features of different lengths
    features = pool.base + vae.residual(vae.encoder(pool.inputs))
    nearest = torch.cdist(vae.prototypes, features).argmin(1)
    np.testing.assert_array_equal(medoids(vae, pool.batches), nearest.numpy())


@torch.no_grad()
def test_aleatoric_is_sigma_within_a_quarter_deviation_of_the_latents_averaged_over_the_two_largest_components(
    pool: Pool,
) -> None:
    fit_latents(pool.vae, pool.batches)
    found = pool.model.encode(pool.x).aleatoric
    centre, log_variance = pool.vae.latent_mean, pool.vae.latent_log_variance
    outside = 0
    for i in range(0, N, 10):
        sigma, total = 0.0, 0.0
        for c in pool.r[i].topk(2).indices.tolist():
            z, reach = pool.inference.mean[i] + pool.vae.shift.weight[c], 0.25 * (0.5 * log_variance[c]).exp()
            held = torch.minimum(torch.maximum(z, centre[c] - reach), centre[c] + reach)
            outside += int((held != z).sum())
            r = float(pool.r[i, c])
            sigma += r * float(pool.vae.decode(held, torch.tensor(c))[1].exp().mean())
            total += r
        assert found[i] == pytest.approx(sigma / total, rel=1e-4)
    assert outside > 0
