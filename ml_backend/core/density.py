"""Mixture density of the base representation: the open-world twin of r, not normalised over components."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ml_backend.core.batches import PoolBatches
from ml_backend.core.vae import ComponentVAE

EMPTY_LOG_WEIGHT = -50.0
MIN_VARIANCE = 1e-3
LEAST_OTHERS = 0.5
"""A component whose mass is one item alone says that the item is far, not infinitely far."""


class MixtureDensity(nn.Module):
    """p(x) = sum_c w_c N(base; m_c, diag v) with one shared diagonal v: few items a component support no more."""

    def __init__(self, n_components: int, base_dim: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(n_components, base_dim))
        self.register_buffer("variance", torch.ones(base_dim))
        self.register_buffer("log_weights", torch.full((n_components,), -math.log(n_components)))
        self.register_buffer("mass", torch.zeros(n_components))

    means: Tensor
    variance: Tensor
    log_weights: Tensor
    mass: Tensor

    @torch.no_grad()
    def fit(self, vae: ComponentVAE, pool: PoolBatches) -> None:
        """Moments of the base representation (N, F) weighted by r."""
        first = torch.zeros_like(self.means)
        second = torch.zeros_like(self.variance)
        mass = torch.zeros(len(self.means), 1, device=first.device)
        for _, inputs, base in pool.chunks():
            r = vae.infer(inputs, base).log_r.exp()
            first += r.T @ base
            second += base.square().sum(0)
            mass += r.sum(0)[:, None]
        means = first / mass.clamp_min(1e-8)
        explained = (mass * means.square()).sum(0)
        self.means.copy_(means)
        self.variance.copy_(((second - explained) / mass.sum()).clamp_min(MIN_VARIANCE))
        self.mass.copy_(mass[:, 0])
        self.log_weights.copy_((mass[:, 0] / mass.sum()).log().clamp_min(EMPTY_LOG_WEIGHT))

    def log_density(self, base: Tensor, own_r: Tensor | None = None) -> Tensor:
        """(B, F) -> (B,) log p in nats, higher = more typical.

        own_r: (B, K) responsibilities of items that the means were made of. Each pulled its means toward itself;
        without its share a mean is farther away by n / (n - r): where it would be had the item not been there.
        """
        scaled_means = self.means / self.variance
        square = (base.square() / self.variance).sum(1, keepdim=True)
        square = square - 2 * base @ scaled_means.T + (self.means * scaled_means).sum(1)
        if own_r is not None:
            square = square * (self.mass / (self.mass - own_r).clamp_min(LEAST_OTHERS)).clamp_min(1.0).square()
        constant = 0.5 * (self.variance * 2 * math.pi).log().sum()
        return torch.logsumexp(self.log_weights - 0.5 * square, 1) - constant
