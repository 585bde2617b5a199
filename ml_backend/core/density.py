"""Mixture density of the base representation: the open-world twin of r, not normalised over components."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ml_backend.core.batches import PoolBatches
from ml_backend.core.vae import ComponentVAE

EMPTY_LOG_WEIGHT = -50.0
MIN_VARIANCE = 1e-3


class MixtureDensity(nn.Module):
    """p(x) = sum_c w_c N(base; m_c, diag v) with one shared diagonal v: few items a component support no more."""

    def __init__(self, n_components: int, base_dim: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(n_components, base_dim))
        self.register_buffer("variance", torch.ones(base_dim))
        self.register_buffer("log_weights", torch.full((n_components,), -math.log(n_components)))

    means: Tensor
    variance: Tensor
    log_weights: Tensor

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
        self.log_weights.copy_((mass[:, 0] / mass.sum()).log().clamp_min(EMPTY_LOG_WEIGHT))

    def log_density(self, base: Tensor) -> Tensor:
        """(B, F) -> (B,) log p in nats, higher = more typical."""
        scaled_means = self.means / self.variance
        inner = base @ scaled_means.T - 0.5 * (self.means * scaled_means).sum(1)
        own = 0.5 * (base.square() / self.variance).sum(1)
        constant = 0.5 * (self.variance * 2 * math.pi).log().sum()
        return torch.logsumexp(self.log_weights + inner, 1) - own - constant
