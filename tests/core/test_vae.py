"""The nets' promises: bounds of sigma, r as a distribution, and what a component id means."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_backend.core.hyperparameters import ModelConfig
from ml_backend.core.losses import elbo_terms, select_components
from ml_backend.core.nets import LOG_SIGMA_MAX, LOG_SIGMA_MIN, soft_bound, soft_bound_inverse
from ml_backend.core.priors import Moments
from ml_backend.core.vae import FREE_BIAS, NEAREST, ComponentVAE

CONFIG = ModelConfig(input_shape=(6,), n_components=5, latent_dim=3, hidden_dim=16, top_m=5)


def random_vae(config: ModelConfig = CONFIG, seed: int = 0) -> ComponentVAE:
    """Every parameter drawn at random, so that no component resembles another."""
    torch.manual_seed(seed)
    vae = ComponentVAE(config, config.input_shape, 4)
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return vae


def all_moments(vae: ComponentVAE) -> Moments:
    """Of p(z|c) for every component, (K, dz) each."""
    return vae.prior_moments(torch.arange(vae.n_components))


@given(st.floats(-1e4, 1e4), st.floats(-5, 0), st.floats(0.5, 5))
def test_soft_bound_stays_inside_and_rises(raw: float, low: float, width: float) -> None:
    values = soft_bound(torch.tensor([raw, raw + 1.0], dtype=torch.float64), low, low + width)
    assert low - 1e-9 <= float(values[0]) <= float(values[1]) <= low + width + 1e-9


@settings(deadline=None)
@given(st.floats(-20, 20), st.floats(-8, 0), st.floats(2, 10))
def test_the_inverse_of_the_soft_bound_undoes_it(raw: float, low: float, width: float) -> None:
    bounded = soft_bound(torch.tensor(raw, dtype=torch.float64), low, low + width)
    again = soft_bound(soft_bound_inverse(bounded, low, low + width), low, low + width)
    torch.testing.assert_close(again, bounded)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 1e3))
def test_sigma_is_bounded_whatever_the_latent(size: float) -> None:
    vae = random_vae()
    _, log_sigma = vae.decode(size * torch.randn(32, 3), torch.arange(32) % 5)
    assert float(log_sigma.min()) >= LOG_SIGMA_MIN - 1e-5
    assert float(log_sigma.max()) <= LOG_SIGMA_MAX + 1e-5


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 5, 9), (3, 64, 64)])
def test_images_of_any_size_are_decoded_to_their_own_shape(shape: tuple[int, ...]) -> None:
    config = ModelConfig(input_shape=shape, n_components=4, latent_dim=3, hidden_dim=16, top_m=2)
    vae = ComponentVAE(config, shape, 3)
    inference = vae.infer(torch.randn(2, *shape), torch.randn(2, 3))
    mean, log_sigma = vae.decode(inference.mean, torch.tensor([0, 3]))
    assert mean.shape == log_sigma.shape == (2, *shape)


def test_the_decoder_depends_on_the_component_and_on_z() -> None:
    vae = random_vae()
    z = torch.randn(1, 3)
    outputs = [torch.cat(vae.decode(z, torch.tensor([c]))) for c in range(5)]
    assert min(float((a - b).abs().max()) for i, a in enumerate(outputs) for b in outputs[:i]) > 1e-3
    assert float((torch.cat(vae.decode(z + 1, torch.tensor([0]))) - outputs[0]).abs().max()) > 1e-3


@pytest.mark.parametrize("k", [5, 30])
def test_r_is_a_softmax_of_squared_distances_in_units_of_the_nearest(k: int) -> None:
    vae = random_vae(replace(CONFIG, n_components=k))
    with torch.no_grad():
        vae.component_bias[[0, 2]] = FREE_BIAS  # free components are nobody's neighbours
    inputs, base = torch.randn(7, 6), torch.randn(7, 4)
    features = base + vae.residual(vae.encoder(inputs))
    distance = torch.cdist(features, vae.prototypes).square()
    in_use = torch.cat([distance[:, 1:2], distance[:, 3:]], 1)
    unit = in_use.sort(1).values[:, :NEAREST].mean(1, keepdim=True)
    expected = torch.softmax(-vae.log_sharpness.exp() * distance / unit + vae.component_bias, 1)
    assert torch.allclose(vae.infer(inputs, base).log_r.exp(), expected, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 100.0), st.integers(5, 40))
def test_r_does_not_depend_on_how_far_apart_things_are(scale: float, k: int) -> None:
    """Local scaling: where components crowd, r is as sharp as elsewhere."""
    vae = random_vae(replace(CONFIG, n_components=k))
    features, logits = torch.randn(6, 4), []
    for factor in (1.0, scale):
        with torch.no_grad():
            vae.prototypes.mul_(factor)
            logits.append(vae.component_logits(factor * features))
    torch.testing.assert_close(torch.softmax(logits[0], 1), torch.softmax(logits[1], 1), atol=1e-4, rtol=1e-3)


def test_what_is_far_from_all_components_belongs_to_none_of_them() -> None:
    vae = random_vae(replace(CONFIG, n_components=20))
    direction = torch.randn(4)
    features = torch.tensor([1.0, 10.0, 1000.0])[:, None] * direction
    largest = torch.softmax(vae.component_logits(features), 1).amax(1)
    assert largest[0] > largest[1] > largest[2]


def test_on_a_prototype_where_all_others_lie_too_r_is_finite() -> None:
    vae = random_vae()
    with torch.no_grad():
        vae.prototypes.copy_(vae.prototypes[:1].expand_as(vae.prototypes).clone())
    log_r = torch.log_softmax(vae.component_logits(vae.prototypes[:1].detach()), 1)
    torch.autograd.backward(log_r[0, 0])
    assert bool(log_r.isfinite().all())
    assert vae.prototypes.grad is not None
    assert bool(vae.prototypes.grad.isfinite().all())


def test_a_tenth_of_the_gradient_of_r_reaches_the_encoder() -> None:
    vae = random_vae()
    inputs, base = torch.randn(7, 6), torch.randn(7, 4)
    torch.autograd.backward(vae.infer(inputs, base).log_r[:, 0].sum())
    found = [parameter.grad for parameter in vae.encoder.parameters()]
    features = base + vae.residual(vae.encoder(inputs))
    whole = torch.autograd.grad(
        torch.log_softmax(vae.component_logits(features), 1)[:, 0].sum(), list(vae.encoder.parameters())
    )
    for some, every in zip(found, whole, strict=True):
        torch.testing.assert_close(some, 0.1 * every, atol=1e-5, rtol=1e-3)


def test_no_responsibility_is_so_small_that_arithmetic_crawls() -> None:
    vae = random_vae()
    with torch.no_grad():
        vae.log_sharpness.fill_(8.0)
    log_r = vae.infer(torch.randn(50, 6), torch.randn(50, 4)).log_r
    assert torch.allclose(log_r.exp().sum(1), torch.ones(50))
    assert float(log_r.detach().exp().min()) > 1e6 * torch.finfo(torch.float32).tiny  # smaller numbers are denormal
    torch.autograd.backward(log_r.sum())
    assert vae.prototypes.grad is not None
    assert bool(vae.prototypes.grad.isfinite().all())


def test_renaming_the_components_changes_nothing_but_their_names() -> None:
    vae, renamed = random_vae(), random_vae()
    order = torch.tensor([3, 0, 4, 1, 2])
    with torch.no_grad():
        for name, parameter in renamed.named_parameters():
            if parameter.shape[:1] == (5,) and not name.startswith(("encoder", "to_")):
                parameter.copy_(dict(vae.named_parameters())[name][order])
    inputs, base, noise = torch.randn(9, 6), torch.randn(9, 4), torch.randn(9, 3)
    answers = []
    for model in (vae, renamed):
        inference = model.infer(inputs, base)
        dense, prior = select_components(inference.log_r, 5, None), all_moments(model)
        answers.append((inference.log_r, *elbo_terms(model, inputs, inference, dense, noise, prior)))
    assert torch.allclose(answers[0][0][:, order], answers[1][0], atol=1e-5)
    assert torch.allclose(answers[0][1], answers[1][1], atol=1e-5)
    assert torch.allclose(answers[0][2], answers[1][2], atol=1e-5)
