"""Each loss term against its formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_backend.core.hyperparameters import LossWeights
from ml_backend.core.losses import (
    FREE_NATS_PER_DIMENSION,
    LossTerms,
    agreement_loss,
    classification_loss,
    effective_components,
    elbo_terms,
    gaussian_nll,
    select_components,
    usage_entropy,
)
from ml_backend.core.priors import gaussian_kl
from tests.core.gaussians import gaussian
from tests.core.test_vae import all_moments, random_vae


def test_gaussian_nll_is_minus_the_log_density() -> None:
    x, mean, log_sigma = torch.randn(3, 50)
    assert torch.allclose(gaussian_nll(x, mean, log_sigma), -gaussian(mean, log_sigma.exp()).log_prob(x), atol=1e-4)


def test_elbo_terms_are_the_dense_sum_over_components() -> None:
    vae = random_vae()
    inputs, base, noise = torch.randn(4, 6), torch.randn(4, 4), torch.randn(4, 3)
    inference = vae.infer(inputs, base)
    dense, moments = select_components(inference.log_r, 5, None), all_moments(vae)
    reconstruction, kl = elbo_terms(vae, inputs, inference, dense, noise, moments)
    mean_p, log_p = moments
    expected_nll, expected_kl = 0.0, 0.0
    for i in range(4):
        for c in range(5):
            r = float(inference.log_r[i, c].exp())
            mean_q = inference.mean[i] + vae.shift.weight[c]
            z = mean_q + (0.5 * inference.log_variance[i]).exp() * noise[i]
            mean_x, log_sigma = vae.decode(z, torch.tensor(c))
            expected_nll += r * float(-gaussian(mean_x, log_sigma.exp()).log_prob(inputs[i]).sum())
            kl_c = float(gaussian_kl(mean_q, inference.log_variance[i], mean_p[c], log_p[c]))
            expected_kl += r * max(kl_c, FREE_NATS_PER_DIMENSION * 3)
    assert float(reconstruction) == pytest.approx(expected_nll / 4 / 6, rel=1e-4)
    assert float(kl) == pytest.approx(expected_kl / 4 / 6, rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6))
def test_sparse_sums_are_unbiased_for_dense_sums_and_their_gradient(seed: int, top_m: int) -> None:
    torch.manual_seed(seed)
    logits = torch.randn(1, 8, dtype=torch.float64).repeat(20_000, 1).requires_grad_()
    values = torch.rand(8, dtype=torch.float64)
    log_r = torch.log_softmax(logits, 1)
    selection = select_components(log_r, top_m, torch.Generator().manual_seed(seed))
    sparse = (selection.weights * values[selection.indices]).sum(1)
    dense = (log_r[0].exp() * values).sum()
    error = float(sparse.std()) / 20_000**0.5
    assert abs(float(sparse.mean() - dense)) < 5 * error + 1e-9
    (gradient,) = torch.autograd.grad(sparse.sum(), logits, retain_graph=True)
    r = log_r[0].exp()
    expected = r * (values - dense)
    spread = gradient.std(0) / 20_000**0.5
    assert bool(((gradient.mean(0) - expected).abs() < 5 * spread + 1e-9).all())


def test_the_top_components_are_summed_exactly_and_the_other_is_another() -> None:
    log_r = torch.log_softmax(torch.randn(100, 12), 1)
    selection = select_components(log_r, 3, torch.Generator().manual_seed(0))
    assert selection.indices.shape == (100, 4)
    assert all(len(set(row.tolist())) == 4 for row in selection.indices)
    assert torch.allclose(selection.weights[:, :3], log_r.exp().topk(3, 1).values)


def test_usage_is_a_moving_average_and_its_entropy_pulls_the_batch() -> None:
    vae = random_vae()
    logits = torch.tensor([[2.0, 0, 0, 0, 0]]).repeat(10, 1).requires_grad_()
    before = vae.usage.clone()
    r = torch.softmax(logits, 1)
    entropy = usage_entropy(vae, r)
    assert torch.allclose(vae.usage, 0.9 * before + 0.1 * r.detach().mean(0))
    assert float(entropy) == pytest.approx(float(np.log(effective_components(vae.usage))), rel=1e-5)
    torch.autograd.backward(entropy)
    assert logits.grad is not None
    assert float(logits.grad[0, 0]) < 0 < float(logits.grad[0, 1])  # entropy rises when the crowded component empties


def test_classification_loss_is_the_log_likelihood_of_the_tau_mixture() -> None:
    r = torch.tensor([[0.7, 0.3], [0.1, 0.9]])
    tau = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    targets = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    first = -np.log(0.7 * 0.9 + 0.3 * 0.2)
    p = 0.1 * 0.9 + 0.9 * 0.2
    second = -(0.5 * np.log(p) + 0.5 * np.log(1 - p))
    assert float(classification_loss(r, tau, targets)) == pytest.approx((first + second) / 2, rel=1e-6)


def test_agreement_loss_is_least_at_the_teacher_and_ignores_items_without_one() -> None:
    teacher = torch.tensor([[0.6, 0.4], [0.0, 0.0]])
    indices = torch.tensor([[1, 3], [0, 0]])
    at_teacher = torch.tensor([[1e-9, 0.6, 1e-9, 0.4], [0.25, 0.25, 0.25, 0.25]]).log()
    entropy = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    assert float(agreement_loss(at_teacher, indices, teacher)) == pytest.approx(entropy / 2, rel=1e-5)
    for _ in range(20):
        other = torch.log_softmax(torch.randn(2, 4), 1)
        assert float(agreement_loss(other, indices, teacher)) > entropy / 2


@given(st.integers(1, 50))
def test_effective_components_counts_equal_users(n: int) -> None:
    usage = torch.zeros(50)
    usage[:n] = 1 / n
    assert effective_components(usage) == pytest.approx(n, rel=1e-4)


def test_weighted_terms_name_what_each_adds() -> None:
    terms = LossTerms(reconstruction=2.0, kl=3.0)
    assert terms.weighted(LossWeights(kl=0.5))["kl"] == 1.5
