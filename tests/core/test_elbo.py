"""The ELBO's terms together against Monte Carlo, free bits, and what a first step optimises and moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml_backend.core.hyperparameters import PRIORS, LossWeights, ModelConfig, Phase, Prior, RunConfig
from ml_backend.core.labels import class_probabilities, soft_counts, tau
from ml_backend.core.losses import elbo_terms, lower_bound, prior_term, select_components
from ml_backend.core.model import EpochReport, TrainingData
from ml_backend.core.vae import ComponentVAE, Inference
from tests.core.gaussians import gaussian
from tests.core.synthetic import blobs, label_set
from tests.core.test_model import CONFIG as MODEL
from tests.core.test_model import K, model_of
from tests.core.test_vae import CONFIG, all_moments, random_vae

DRAWS = 20_000


def vae_with(prior: Prior) -> ComponentVAE:
    return random_vae(ModelConfig(**{**vars(CONFIG), "prior": prior}))


def terms_of_draws(vae: ComponentVAE, x: Tensor, inference: Inference) -> list[Tensor]:
    """-log p(x|z,c), log q(z|x,c) - log p(z|c), log q(c|x) - log pi_c of c, z drawn from q."""
    c = torch.multinomial(inference.log_r[0].exp(), DRAWS, replacement=True)
    q = gaussian(inference.mean[0] + vae.shift.weight[c], (0.5 * inference.log_variance[0]).exp())
    z = q.sample()
    mean_p, log_p = all_moments(vae)
    mean_x, log_sigma = vae.decode(z, c)
    return [
        -gaussian(mean_x, log_sigma.exp()).log_prob(x).sum(1),
        (q.log_prob(z) - gaussian(mean_p[c], (0.5 * log_p[c]).exp()).log_prob(z)).sum(1),
        inference.log_r[0, c] - vae.log_pi[c],
    ]


@pytest.mark.parametrize("prior", PRIORS)
@torch.no_grad()
def test_reconstruction_kl_and_kl_to_pi_are_the_parts_of_minus_the_elbo(prior: Prior) -> None:
    """Together E_q[log q(c,z|x) - log p(x,z,c)], in nats per input dimension; the pull is no part of it."""
    vae = vae_with(prior)
    vae.shift.weight.mul_(3.0)  # so that no KL is so small that free bits lift it
    vae.log_sharpness.fill_(-3.0)  # and x belongs to several components
    x, base = torch.randn(1, 6), torch.randn(1, 4)
    inference = vae.infer(x, base)
    assert float(inference.log_r.exp().max()) < 0.7
    many = Inference(*(part.expand(DRAWS, -1) for part in vars(inference).values()))
    dense = select_components(many.log_r, 5, None)
    moments = all_moments(vae)
    reconstruction, kl = elbo_terms(vae, x.expand(DRAWS, -1), many, dense, torch.randn(DRAWS, 3), moments)
    to_pi = prior_term(vae, inference.log_r, moments[0]) - vae.prior.pull(moments[0]) / 6
    for found, drawn in zip((reconstruction, kl, to_pi), terms_of_draws(vae, x, inference), strict=True):
        error = float(drawn.std()) / 6 / DRAWS**0.5
        assert float(found) == pytest.approx(float(drawn.mean()) / 6, abs=6 * error + 1e-5)


@pytest.mark.parametrize("prior", PRIORS)
@torch.no_grad()
def test_the_lower_bound_is_minus_all_three_parts_without_free_bits(prior: Prior) -> None:
    """Draws have the mean of log p(x,z,c) - log q(c,z|x), whether all components are summed or two and a random one."""
    vae = vae_with(prior)
    vae.log_sharpness.fill_(-3.0)
    x, base = torch.randn(1, 6), torch.randn(1, 4)
    drawn = -sum(terms_of_draws(vae, x, vae.infer(x, base)), torch.zeros(()))
    many = x.expand(DRAWS, -1), base.expand(DRAWS, -1)
    for top_m in (2, 5):
        found = lower_bound(vae, *many, top_m, torch.Generator().manual_seed(0))
        error = float((drawn.var() / DRAWS + found.var() / DRAWS).sqrt())
        assert float(found.mean()) == pytest.approx(float(drawn.mean()), abs=6 * error)


@pytest.mark.parametrize(("length", "nats"), [(0.0, 0.15), (0.3, 0.15), (0.5, 0.15), (0.6, 0.18), (2.0, 2.0)])
@torch.no_grad()
def test_a_kl_below_a_twentieth_nat_per_latent_dimension_costs_that_much(length: float, nats: float) -> None:
    """q = N(m, I) against N(0, I) in three dimensions: |m|^2 / 2, but at least .15."""
    vae = vae_with("standard")
    vae.shift.weight.zero_()
    mean = torch.tensor([[length, 0.0, 0.0]])
    inference = Inference(torch.full((1, 5), 0.2).log(), mean, torch.zeros(1, 3))
    dense = select_components(inference.log_r, 5, None)
    _, kl = elbo_terms(vae, torch.randn(1, 6), inference, dense, torch.randn(1, 3), all_moments(vae))
    assert float(kl) * 6 == pytest.approx(nats, rel=1e-5)


def first_step(n_sets: int) -> tuple[EpochReport, float]:
    """An epoch of one batch with the same labels n_sets times, and mean -log p(y|x) of before by the formula."""
    x, y = blobs(120, 4, 20, seed=3, noise=0.8)
    kinds = label_set(np.arange(0, 120, 3), y, 4)
    model = model_of(x, replace(MODEL, top_m=K))
    r = model.responsibilities(x).take(kinds.rows)
    p = class_probabilities(r, tau(soft_counts(r, kinds.targets, K), None))
    run = RunConfig(epochs=1, device="cpu", phase=Phase.LABELS, batch_size=120)
    sets = tuple(replace(kinds, name=f"kind {i}") for i in range(n_sets))
    report = model.train(TrainingData(x, None, sets), run).epochs[0]
    return report, float(-np.log((p * kinds.targets).sum(axis=1)).mean())


@pytest.mark.parametrize("n_sets", [1, 3])
def test_the_classification_term_is_the_mean_over_label_sets_of_minus_log_p(n_sets: int) -> None:
    report, expected = first_step(n_sets)
    assert report.losses.classification == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("phase", "share"), [(Phase.RECONSTRUCTION, 0.0), (Phase.PRIOR, 0.05), (Phase.LABELS, 0.05)])
def test_a_first_step_moves_the_components_a_twentieth_as_far_as_the_nets_and_not_at_all_in_phase_one(
    phase: Phase, share: float
) -> None:
    """Adam's first step is the rate itself in every coordinate that has a gradient."""
    x, _ = blobs(120, 4, 20, seed=3, noise=0.8)
    model = model_of(x)
    before = model.state()
    run = RunConfig(
        epochs=1, device="cpu", phase=phase, batch_size=120, learning_rate=1e-3, weights=LossWeights(spread=1.0)
    )
    model.train(TrainingData(x), run)

    def moved(name: str) -> float:
        return furthest(before, model.state(), name)

    assert moved("vae.to_mean.weight") == pytest.approx(1e-3, rel=0.01)
    for name in ("vae.prototypes", "vae.component_bias", "vae.log_sharpness", "vae.residual.weight"):
        assert moved(name) == pytest.approx(share * 1e-3, rel=0.02, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_rate_falls_to_nothing_in_a_straight_line_over_the_run(steps: int) -> None:
    """1 + (1 - 1/n) + ... + 1/n steps of the rate, as far as Adam's go that have one direction."""
    x, _ = blobs(120, 4, 20, seed=3, noise=0.8)
    model = model_of(x)
    before = model.state()
    run = RunConfig(epochs=steps, device="cpu", phase=Phase.RECONSTRUCTION, batch_size=120, learning_rate=1e-5)
    model.train(TrainingData(x), run)
    expected = 1e-5 * sum(1 - step / steps for step in range(steps))
    assert furthest(before, model.state(), "vae.decoder.out.bias") == pytest.approx(expected, rel=0.02)


def furthest(before: Mapping[str, NDArray[np.generic]], after: Mapping[str, NDArray[np.generic]], name: str) -> float:
    """Largest change of a coordinate."""
    return float(np.abs(np.subtract(after[name], before[name])).max())
