"""KL of each prior against torch.distributions, Monte Carlo and definitions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Categorical, Normal, kl_divergence

from ml_backend.core.hyperparameters import PRIORS, ModelConfig, Prior
from ml_backend.core.priors import (
    LOG_VARIANCE_MAX,
    LOG_VARIANCE_MIN,
    MixturePrior,
    Moments,
    VampPrior,
    categorical_kl,
    gaussian_kl,
)
from ml_backend.core.vae import ComponentVAE
from tests.core.gaussians import gaussian
from tests.core.test_vae import CONFIG, all_moments, random_vae


def with_prior(prior: Prior) -> ComponentVAE:
    return random_vae(ModelConfig(**{**vars(CONFIG), "prior": prior}))


@given(st.integers(0, 10_000))
def test_gaussian_kl_is_the_closed_form(seed: int) -> None:
    torch.manual_seed(seed)
    mean_q, mean_p = torch.randn(2, 4, 3, dtype=torch.float64)
    log_q, log_p = torch.randn(2, 4, 3, dtype=torch.float64)
    expected = kl_divergence(Normal(mean_q, (0.5 * log_q).exp()), Normal(mean_p, (0.5 * log_p).exp())).sum(-1)
    assert torch.allclose(gaussian_kl(mean_q, log_q, mean_p, log_p), expected)


def test_gaussian_kl_agrees_with_monte_carlo() -> None:
    torch.manual_seed(0)
    mean_q, scale_q = torch.tensor([0.5, -1.0]), torch.tensor([0.7, 0.4])
    mean_p, scale_p = torch.zeros(2), torch.tensor([1.0, 2.0])
    q, p = gaussian(mean_q, scale_q), gaussian(mean_p, scale_p)
    z = q.sample((200_000,))
    sampled = (q.log_prob(z) - p.log_prob(z)).sum(1)
    exact = gaussian_kl(mean_q, 2 * scale_q.log(), mean_p, 2 * scale_p.log())
    assert abs(float(exact) - float(sampled.mean())) < 4 * float(sampled.std()) / 200_000**0.5


@given(st.integers(0, 10_000), st.integers(2, 30))
def test_categorical_kl_is_exact_over_all_components(seed: int, k: int) -> None:
    torch.manual_seed(seed)
    log_r, log_pi = torch.log_softmax(3 * torch.randn(2, 5, k, dtype=torch.float64), -1)
    expected = kl_divergence(Categorical(logits=log_r), Categorical(logits=log_pi))
    assert torch.allclose(categorical_kl(log_r, log_pi), expected, atol=1e-9)


def test_the_standard_prior_is_the_unit_gaussian_for_every_component() -> None:
    mean, log_variance = all_moments(with_prior("standard"))
    assert mean.shape == log_variance.shape == (5, 3)
    assert not mean.any()
    assert not log_variance.any()


def test_the_mixture_prior_has_a_bounded_gaussian_per_component() -> None:
    vae = with_prior("mixture")
    assert isinstance(vae.prior, MixturePrior)
    with torch.no_grad():
        vae.prior.raw_log_variance.copy_(torch.linspace(-100, 100, 15).reshape(5, 3))
    mean, log_variance = all_moments(vae)
    assert len(torch.unique(mean, dim=0)) == 5
    assert float(log_variance.min()) >= LOG_VARIANCE_MIN - 1e-5
    assert float(log_variance.max()) <= LOG_VARIANCE_MAX + 1e-5


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_mixture_prior_that_takes_the_moments_of_z_has_the_least_kl(seed: int) -> None:
    """Moments of sum_i r_ic q(z|x_i,c) / sum_i r_ic: any step away from them costs."""
    torch.manual_seed(seed)
    r, mean_q = torch.softmax(torch.randn(20, 4), 1), torch.randn(20, 1, 3)
    log_q = 0.5 * torch.randn(20, 1, 3)
    mass = r.sum(0)[:, None]
    mean = (r[..., None] * mean_q).sum(0) / mass
    variance = (r[..., None] * (mean_q.square() + log_q.exp())).sum(0) / mass - mean.square()
    prior = MixturePrior(4, 3)

    def kl(mean_p: Tensor, log_p: Tensor) -> float:
        return float((r * gaussian_kl(mean_q, log_q, mean_p, log_p)).sum().detach())

    prior.fit(mean, variance)
    fitted = prior.moments(no_posterior, torch.arange(4))
    least = kl(*fitted)
    for part in range(2):
        away = [moment + 0.1 * torch.randn(4, 3) * (part == place) for place, moment in enumerate(fitted)]
        assert kl(away[0], away[1]) > least


def no_posterior(inputs: Tensor, components: Tensor) -> Moments:
    raise AssertionError("only a VampPrior asks the encoder")


def test_the_vamp_prior_is_the_posterior_at_its_pseudo_inputs() -> None:
    vae = with_prior("vamp")
    assert isinstance(vae.prior, VampPrior)
    mean, log_variance = all_moments(vae)
    for c in range(5):
        own = vae.posterior(vae.prior.pseudo_inputs[c : c + 1], torch.tensor([c]))
        assert torch.allclose(mean[c], own[0][0], atol=1e-6)
        assert torch.allclose(log_variance[c], own[1][0], atol=1e-6)


@pytest.mark.parametrize("prior", PRIORS)
def test_the_moments_of_some_components_are_theirs_among_all(prior: Prior) -> None:
    vae, some = with_prior(prior), torch.tensor([3, 0, 3])
    for found, everything in zip(vae.prior_moments(some), all_moments(vae), strict=True):
        assert torch.allclose(found, everything[some], atol=1e-6)


def test_the_pull_draws_pseudo_latents_to_zero_through_the_pseudo_inputs() -> None:
    vae = with_prior("vamp")
    assert isinstance(vae.prior, VampPrior)

    def pull() -> Tensor:
        return vae.prior.pull(all_moments(vae)[0])

    assert float(pull()) == pytest.approx(float(all_moments(vae)[0].square().sum(1).mean()) / 2)
    optimiser = torch.optim.Adam([vae.prior.pseudo_inputs], lr=0.05)
    before = float(pull())
    for _ in range(50):
        optimiser.zero_grad()
        torch.autograd.backward(pull())
        optimiser.step()
    assert float(pull()) < 0.8 * before


@settings(max_examples=3, deadline=None)
@given(st.sampled_from(["standard", "mixture", "vamp"]))
def test_pi_is_learned_under_every_prior(prior: Prior) -> None:
    vae = with_prior(prior)
    log_r = torch.log_softmax(torch.randn(8, 5), 1)
    torch.autograd.backward(categorical_kl(log_r, vae.log_pi).mean())
    # d/dlogits of KL(r || pi) is pi - mean r: pi is pulled to the usage.
    assert vae.pi_logits.grad is not None
    assert torch.allclose(vae.pi_logits.grad, vae.log_pi.exp() - log_r.exp().mean(0), atol=1e-6)
