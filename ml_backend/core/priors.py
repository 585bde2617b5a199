"""p(z|c) in three forms, and the KL terms in closed form. pi is learned in all of them and lives in the VAE."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ml_backend.core.hyperparameters import Prior
from ml_backend.core.nets import soft_bound, soft_bound_inverse

LOG_VARIANCE_MIN = -6.0
LOG_VARIANCE_MAX = 2.0

Moments = tuple[Tensor, Tensor]
"""Mean and log variance of p(z|c) for some components, (..., dz) each."""
Posterior = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(inputs (S, ...), components (S,)) -> mean, log variance (S, dz) of q(z|x,c)."""


def gaussian_kl(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    """KL(N(mean_q, diag) || N(mean_p, diag)) in nats, summed over the last axis; inputs broadcast."""
    ratio = (log_var_q - log_var_p).exp() + (mean_q - mean_p).square() * (-log_var_p).exp()
    return 0.5 * (ratio - 1 + log_var_p - log_var_q).sum(-1)


def categorical_kl(log_r: Tensor, log_pi: Tensor) -> Tensor:
    """KL(r || pi) in nats over all K (last axis), exact."""
    return (log_r.exp() * (log_r - log_pi)).sum(-1)


class StandardPrior(nn.Module):
    """p(z|c) = N(0, I)."""

    name: Prior = "standard"

    def __init__(self, n_components: int, latent_dim: int) -> None:
        super().__init__()
        self.register_buffer("zeros", torch.zeros(n_components, latent_dim), persistent=False)

    zeros: Tensor

    def moments(self, posterior: Posterior, components: Tensor) -> Moments:
        """Of the components (S,)."""
        del posterior
        zeros = self.zeros[components]
        return zeros, zeros

    def pull(self, mean: Tensor) -> Tensor:
        """Nothing to pull: 0."""
        return mean.new_zeros(())


class MixturePrior(nn.Module):
    """p(z|c) = N(mu_c, diag(sigma_c^2)), mu and sigma learned; as VaDE (Jiang et al. 2017)."""

    name: Prior = "mixture"

    def __init__(self, n_components: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(n_components, latent_dim))
        self.raw_log_variance = nn.Parameter(torch.zeros(n_components, latent_dim))

    def moments(self, posterior: Posterior, components: Tensor) -> Moments:
        """Of the components (S,); log variance softly bounded."""
        del posterior
        raw = self.raw_log_variance[components]
        return self.mean[components], soft_bound(raw, LOG_VARIANCE_MIN, LOG_VARIANCE_MAX)

    @torch.no_grad()
    def fit(self, mean: Tensor, variance: Tensor) -> None:
        """Be these moments (K, dz) of z: with those of E_x[r_c(x) q(z|x,c)] no other prior has a smaller KL of z."""
        self.mean.copy_(mean)
        self.raw_log_variance.copy_(soft_bound_inverse(variance.log(), LOG_VARIANCE_MIN, LOG_VARIANCE_MAX))

    def pull(self, mean: Tensor) -> Tensor:
        """The means are free: 0."""
        return mean.new_zeros(())


class VampPrior(nn.Module):
    """p(z|c) = q(z|u_c, c), a trainable pseudo-input u_c per component, begun at medoids (Tomczak & Welling 2018)."""

    name: Prior = "vamp"

    def __init__(self, n_components: int, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.pseudo_inputs = nn.Parameter(torch.zeros(n_components, *input_shape))

    def moments(self, posterior: Posterior, components: Tensor) -> Moments:
        """Of q(z|u_c, c) for the components (S,): a pass of the encoder over S pseudo-inputs."""
        return posterior(self.pseudo_inputs[components], components)

    def pull(self, mean: Tensor) -> Tensor:
        """Mean over the components of |E q(z|u_c, c)|^2 / 2: minus log N(0, I) of the pseudo-latents, up to a constant.

        mean: (S, dz), that of `moments`.
        """
        return 0.5 * mean.square().sum(-1).mean()


AnyPrior = StandardPrior | MixturePrior | VampPrior


def build_prior(name: Prior, n_components: int, latent_dim: int, input_shape: tuple[int, ...]) -> AnyPrior:
    """An untrained prior of that name; input_shape is that of the VAE's preprocessed input."""
    if name == "standard":
        return StandardPrior(n_components, latent_dim)
    if name == "mixture":
        return MixturePrior(n_components, latent_dim)
    return VampPrior(n_components, input_shape)
