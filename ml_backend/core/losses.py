"""The loss, term by term. Sums over components are exact for the top M and unbiased for the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ml_backend.core.hyperparameters import LossWeights
from ml_backend.core.priors import Moments, categorical_kl, gaussian_kl
from ml_backend.core.vae import ComponentVAE, Inference

FREE_NATS_PER_DIMENSION = 0.05
"""KL(q(z|x,c) || p(z|c)) below this is not pushed further down (free bits, Kingma et al. 2016)."""
USAGE_DECAY = 0.9
"""Memory of the moving average of usage, per batch: a batch mean alone is biased when K is near the batch size."""
PROBABILITY_FLOOR = 1e-8
SMALLEST_PLACE = 1e-30
"""Above 0, so that a draw never stops at a component with no mass."""


@dataclass(frozen=True, kw_only=True)
class LossTerms:
    """Unweighted terms; `total` is what was minimised. ELBO terms are in nats per input dimension, the others in nats.

    reconstruction: E_r[-log p(x|z,c)]. kl: E_r[KL(q(z|x,c) || p(z|c))]. prior: KL(r || pi) + pull of pseudo-latents.
    spread: -H(p_hat), early. sparsity: +H(p_hat), later. classification: -log p(y|x).
    contrastive: neighbours disagree.
    """

    reconstruction: float = 0.0
    kl: float = 0.0
    prior: float = 0.0
    spread: float = 0.0
    sparsity: float = 0.0
    classification: float = 0.0
    contrastive: float = 0.0
    total: float = 0.0

    def weighted(self, weights: LossWeights) -> dict[str, float]:
        """Each term times its weight: what it adds to the total."""
        return {name: getattr(self, name) * weight for name, weight in vars(weights).items()}


@dataclass(frozen=True)
class Selection:
    """Components summed over: indices (B, S) int64, weights (B, S); E_r[f] is estimated by sum_s weights f(indices)."""

    indices: Tensor
    weights: Tensor


def select_components(log_r: Tensor, top_m: int, generator: torch.Generator | None) -> Selection:
    """The top M components with weight r, plus one other drawn from q with weight r/q: unbiased for the dense sum.

    log_r (B, K). q is half r restricted to the rest, half uniform over the rest, so that weights stay bounded and every
    component keeps a gradient. top_m >= K gives the dense sum. Source: sum and sample, Correia et al. 2020.
    """
    n_components = log_r.shape[1]
    r = log_r.exp()
    if top_m >= n_components:
        every = torch.arange(n_components, device=log_r.device).expand(len(log_r), -1)
        return Selection(every, r)
    top = log_r.detach().topk(top_m, dim=1).indices
    rest = r.detach().scatter(1, top, 0.0)
    share = rest / rest.sum(1, keepdim=True).clamp_min(PROBABILITY_FLOOR)
    uniform = torch.full_like(rest, 1.0 / (n_components - top_m)).scatter(1, top, 0.0)
    q = 0.5 * share + 0.5 * uniform
    up_to = q.cumsum(1)
    place = torch.rand(len(q), 1, device=q.device, generator=generator) * up_to[:, -1:]
    other = torch.searchsorted(up_to, place.clamp_min(SMALLEST_PLACE))  # the first that reaches it, so one with q > 0
    other = other.clamp_max(n_components - 1)  # none reaches NaN; the loss, NaN too, is what says so
    weight = r.gather(1, other) / q.gather(1, other)
    return Selection(torch.cat([top, other], 1), torch.cat([r.gather(1, top), weight], 1))


def gaussian_nll(x: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """-log N(x; mean, diag sigma^2) in nats, elementwise."""
    return 0.5 * ((x - mean) * (-log_sigma).exp()).square() + log_sigma + 0.5 * math.log(2 * math.pi)


def elbo_terms(
    vae: ComponentVAE, inputs: Tensor, inference: Inference, selection: Selection, noise: Tensor, prior: Moments
) -> tuple[Tensor, Tensor]:
    """E_r[NLL] and E_r[KL_z], batch means in nats per input dimension. noise (B, dz) ~ N(0, I), shared over c.

    prior: moments of p(z|c) of the selection's components, (B, S, dz) each.
    """
    n_dimensions = math.prod(vae.input_shape)
    nll, kl = _of_components(vae, inputs, inference, selection.indices, noise, prior)
    kl = kl.clamp_min(FREE_NATS_PER_DIMENSION * noise.shape[1])
    reconstruction = (selection.weights * nll).sum(1).mean()
    return reconstruction / n_dimensions, (selection.weights * kl).sum(1).mean() / n_dimensions


def prior_of(vae: ComponentVAE, components: Tensor) -> tuple[Moments, Tensor]:
    """Moments of p(z|c) of components (B, S), (B, S, dz) each, and the means (C, dz) of those that occur among them.

    A VampPrior passes its pseudo-inputs through the encoder: once, and only those that occur.
    """
    present, place = torch.unique(components, return_inverse=True)
    latents, log_variances = vae.prior_moments(present)
    return (latents[place], log_variances[place]), latents


def lower_bound(vae: ComponentVAE, inputs: Tensor, base: Tensor, top_m: int, generator: torch.Generator) -> Tensor:
    """(B,) unbiased draws of the ELBO of each item in nats, of the preprocessed input: higher = better explained.

    E_r[log p(x|z,c) - KL(q(z|x,c) || p(z|c))] - KL(r || pi): without free bits, weights and the pull.
    """
    inference = vae.infer(inputs, base)
    selection = select_components(inference.log_r, top_m, generator)
    noise = torch.empty_like(inference.mean).normal_(generator=generator)
    prior, _ = prior_of(vae, selection.indices)
    nll, kl = _of_components(vae, inputs, inference, selection.indices, noise, prior)
    return -(selection.weights * (nll + kl)).sum(1) - categorical_kl(inference.log_r, vae.log_pi)


def _of_components(
    vae: ComponentVAE, inputs: Tensor, inference: Inference, components: Tensor, noise: Tensor, prior: Moments
) -> tuple[Tensor, Tensor]:
    """-log p(x|z,c) of a z that is drawn from q(z|x,c), and KL_z: (B, S) nats each; components (B, S)."""
    mean_q = inference.mean[:, None] + vae.shift(components)
    log_var_q = inference.log_variance[:, None]
    z = mean_q + (0.5 * log_var_q).exp() * noise[:, None]
    mean_x, log_sigma = vae.decode(z, components)
    nll = gaussian_nll(inputs[:, None], mean_x, log_sigma).flatten(2).sum(-1)
    return nll, gaussian_kl(mean_q, log_var_q, *prior)


def prior_term(vae: ComponentVAE, log_r: Tensor, latents: Tensor) -> Tensor:
    """KL(r || pi), exact over all K, plus the pull of pseudo-latents toward 0; in nats per input dimension.

    latents: (S, dz) means of p(z|c) of the components that are pulled.
    """
    return (categorical_kl(log_r, vae.log_pi).mean() + vae.prior.pull(latents)) / math.prod(vae.input_shape)


def usage_entropy(vae: ComponentVAE, r: Tensor) -> Tensor:
    """H(p_hat) in nats with p_hat the moving average of usage (K,), which it updates. Gradient: of the batch mean."""
    batch = r.mean(0)
    vae.usage.mul_(USAGE_DECAY).add_(batch.detach(), alpha=1 - USAGE_DECAY)
    p_hat = vae.usage + (batch - batch.detach())
    return -(p_hat * p_hat.clamp_min(PROBABILITY_FLOOR).log()).sum()


def classification_loss(r: Tensor, tau: Tensor, targets: Tensor) -> Tensor:
    """Mean of -sum_y t_y log p(y|x), p = sum_c r_c tau; r (n, K), tau (K, Y), targets (n, Y) with rows summing to 1."""
    probabilities = (r @ tau).clamp_min(PROBABILITY_FLOOR)
    return -(targets * probabilities.log()).sum(1).mean()


def agreement_loss(log_r: Tensor, indices: Tensor, teacher: Tensor) -> Tensor:
    """Mean cross-entropy of r (B, K) against sparse teachers, indices and values (B, M); rows without mass count 0."""
    return -(teacher * log_r.gather(1, indices)).sum(1).mean()


def effective_components(usage: Tensor) -> float:
    """exp(H(p_hat)): how many components are in use, 1..K."""
    p = usage / usage.sum().clamp_min(PROBABILITY_FLOOR)
    return float((-(p * p.clamp_min(1e-30).log()).sum()).exp())
