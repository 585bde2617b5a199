"""KL(r || pi) and the pull of pseudo-latents, per input dimension, against their formulas and gradients."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

from ml_backend.core.hyperparameters import PRIORS, ModelConfig, Prior
from ml_backend.core.losses import prior_term
from ml_backend.core.priors import VampPrior
from ml_backend.core.vae import ComponentVAE
from tests.core.test_vae import CONFIG, all_moments, random_vae

priors = st.sampled_from(PRIORS)
seeds = st.integers(0, 1000)


def vae_with(prior: Prior, seed: int = 0, shape: tuple[int, ...] = (6,)) -> ComponentVAE:
    return random_vae(ModelConfig(**{**vars(CONFIG), "prior": prior, "input_shape": shape}), seed)


def pseudo_latents(vae: ComponentVAE) -> Tensor:
    """(K, dz) means of p(z|c)."""
    return all_moments(vae)[0]


def random_logits(n: int = 7) -> Tensor:
    return (2 * torch.randn(n, CONFIG.n_components)).requires_grad_()


def kl_to_pi(vae: ComponentVAE, log_r: Tensor) -> float:
    """Mean over the items of sum_c r_c log(r_c / pi_c)."""
    return float(kl_divergence(Categorical(logits=log_r), Categorical(logits=vae.pi_logits)).mean().detach())


def pull(vae: ComponentVAE) -> float:
    """Mean over the components of |m(u_c) + shift_c|^2 / 2; 0 where there are no pseudo-inputs."""
    if not isinstance(vae.prior, VampPrior):
        return 0.0
    latents = vae.to_mean(vae.encoder(vae.prior.pseudo_inputs)) + vae.shift.weight
    return float((latents.detach() ** 2).sum() / (2 * len(latents)))


@settings(max_examples=15, deadline=None)
@given(priors, seeds)
def test_the_prior_term_is_the_kl_to_pi_and_the_pull_per_input_dimension(prior: Prior, seed: int) -> None:
    vae = vae_with(prior, seed)
    log_r = torch.log_softmax(random_logits(), 1)
    assert float(prior_term(vae, log_r, pseudo_latents(vae)).detach()) == pytest.approx(
        (kl_to_pi(vae, log_r) + pull(vae)) / 6, rel=1e-4
    )


@pytest.mark.parametrize("prior", PRIORS)
def test_with_r_at_pi_the_pull_alone_is_left(prior: Prior) -> None:
    vae = vae_with(prior)
    log_r = vae.log_pi.expand(4, -1)
    assert float(prior_term(vae, log_r, pseudo_latents(vae)).detach()) == pytest.approx(
        pull(vae) / 6, rel=1e-4, abs=1e-6
    )
    assert (pull(vae) > 0.01) == (prior == "vamp")


def test_the_dimensions_of_a_picture_are_its_pixels_in_all_channels() -> None:
    vae = vae_with("vamp", shape=(2, 8, 5))
    log_r = torch.log_softmax(random_logits(), 1)
    assert float(prior_term(vae, log_r, pseudo_latents(vae)).detach()) == pytest.approx(
        (kl_to_pi(vae, log_r) + pull(vae)) / 80, rel=1e-4
    )


def test_the_kl_is_the_mean_log_ratio_of_components_drawn_from_r() -> None:
    vae = vae_with("standard")
    log_r = torch.log_softmax(random_logits(1), 1).detach()
    drawn = torch.multinomial(log_r[0].exp(), 200_000, replacement=True, generator=torch.Generator().manual_seed(0))
    ratio = (log_r[0] - vae.log_pi)[drawn].detach() / 6
    assert abs(float(prior_term(vae, log_r, pseudo_latents(vae)).detach() - ratio.mean())) < 4 * float(
        ratio.std()
    ) / math.sqrt(len(ratio))


@settings(max_examples=15, deadline=None)
@given(priors, seeds)
def test_the_gradient_draws_pi_to_the_usage_and_r_to_pi(prior: Prior, seed: int) -> None:
    vae, logits = vae_with(prior, seed), random_logits()
    log_r = torch.log_softmax(logits, 1)
    torch.autograd.backward(prior_term(vae, log_r, pseudo_latents(vae)))
    r, pi = log_r.detach().exp(), vae.log_pi.detach().exp()
    assert vae.pi_logits.grad is not None
    assert torch.allclose(vae.pi_logits.grad, (pi - r.mean(0)) / 6, atol=1e-6)
    ratio = r.log() - pi.log()
    each = (r * ratio).sum(1, keepdim=True)
    assert logits.grad is not None
    assert torch.allclose(logits.grad, r * (ratio - each) / 7 / 6, atol=1e-6)


def test_the_gradient_of_the_pull_draws_every_pseudo_latent_to_zero() -> None:
    vae = vae_with("vamp")
    torch.autograd.backward(prior_term(vae, vae.log_pi.detach().expand(4, -1), pseudo_latents(vae)))
    latents = pseudo_latents(vae).detach()
    assert vae.shift.weight.grad is not None
    # d/dshift_c of |m(u_c) + shift_c|^2 / (2 K D) is the latent itself over K D.
    assert torch.allclose(vae.shift.weight.grad, latents / (5 * 6), atol=1e-6)
    assert isinstance(vae.prior, VampPrior)
    assert vae.prior.pseudo_inputs.grad is not None
    assert bool((vae.prior.pseudo_inputs.grad.flatten(1).norm(dim=1) > 0).all())
