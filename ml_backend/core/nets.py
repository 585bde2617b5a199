"""Encoders x -> h and component-conditional decoders (z, c) -> (mu, log sigma): MLPs, and convolutions for images."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import silu, softplus

LOG_SIGMA_MIN = -3.0
LOG_SIGMA_MAX = 1.0
"""Soft bounds of log sigma for inputs of unit variance: else a few collapsing dimensions swallow the likelihood."""


def soft_bound(raw: Tensor, low: float, high: float) -> Tensor:
    """Smoothly squash into (low, high), near the identity well inside. Source: PETS, Chua et al. 2018, appendix A.1."""
    raw = high - softplus(high - raw)
    return low + softplus(raw - low) * ((high - low) / math.log1p(math.exp(high - low)))


def soft_bound_inverse(value: Tensor, low: float, high: float) -> Tensor:
    """What `soft_bound` squashes to the value, which lies inside (low, high)."""
    raised = _softplus_inverse((value - low) * (math.log1p(math.exp(high - low)) / (high - low)))
    return high - _softplus_inverse(high - low - raised)


def _softplus_inverse(value: Tensor) -> Tensor:
    """Of values above 0."""
    return value + torch.log(-torch.expm1(-value))


class VectorEncoder(nn.Module):
    """(B, P) -> (B, H)."""

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.first = nn.Linear(input_dim, hidden_dim)
        self.second = nn.Linear(hidden_dim, hidden_dim)

    def forward(self, v: Tensor) -> Tensor:
        hidden = silu(self.first(v))
        return hidden + silu(self.second(hidden))


class VectorDecoder(nn.Module):
    """(z, c) -> mu, log sigma of (..., P). mu starts at the component's template, its mean in input space."""

    def __init__(self, output_dim: int, latent_dim: int, hidden_dim: int, n_components: int) -> None:
        super().__init__()
        self.latent = nn.Linear(latent_dim, hidden_dim)
        self.component = nn.Embedding(n_components, hidden_dim)
        self.template = nn.Embedding(n_components, output_dim)
        self.out = nn.Linear(hidden_dim, 2 * output_dim)
        nn.init.zeros_(self.component.weight)
        nn.init.zeros_(self.template.weight)

    def forward(self, z: Tensor, components: Tensor) -> tuple[Tensor, Tensor]:
        """z (..., dz), components (...) int64."""
        hidden = silu(self.latent(z) + self.component(components))
        mean, raw = self.out(hidden).chunk(2, dim=-1)
        return mean + self.template(components), soft_bound(raw, LOG_SIGMA_MIN, LOG_SIGMA_MAX)


def _halvings(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Spatial sizes from the full picture down: two halvings up to 32 pixels, three up to 64."""
    sizes = [(shape[1], shape[2])]
    for _ in range(2 if max(shape[1:]) <= 32 else 3):
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


class ImageEncoder(nn.Module):
    """(B, C, H, W) -> (B, hidden); width: channels of the first convolution, doubled with every halving."""

    def __init__(self, shape: tuple[int, ...], hidden_dim: int, width: int = 16) -> None:
        super().__init__()
        sizes = _halvings(shape)
        channels = [shape[0], *(width * 2**i for i in range(len(sizes) - 1))]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(channels))
        self.out = nn.Linear(channels[-1] * sizes[-1][0] * sizes[-1][1], hidden_dim)

    def forward(self, v: Tensor) -> Tensor:
        for convolution in self.convolutions:
            v = silu(convolution(v))
        return silu(self.out(v.flatten(1)))


class ImageDecoder(nn.Module):
    """(z, c) -> mu, log sigma of (..., C, H, W)."""

    def __init__(self, shape: tuple[int, ...], latent_dim: int, hidden_dim: int, n_components: int) -> None:
        super().__init__()
        self.shape = shape
        self.sizes = _halvings(shape)[::-1]
        channels = [*(16 * 2**i for i in reversed(range(len(self.sizes) - 1))), 2 * shape[0]]
        self.start = (channels[0], *self.sizes[0])
        self.latent = nn.Linear(latent_dim, hidden_dim)
        self.component = nn.Embedding(n_components, hidden_dim)
        self.grid = nn.Linear(hidden_dim, math.prod(self.start))
        self.convolutions = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(channels)
        )
        nn.init.zeros_(self.component.weight)

    def forward(self, z: Tensor, components: Tensor) -> tuple[Tensor, Tensor]:
        """z (..., dz), components (...) int64."""
        hidden = silu(self.latent(z) + self.component(components))
        grid = self.grid(hidden).reshape(-1, *self.start)
        for convolution, (height, width) in zip(self.convolutions, self.sizes[1:], strict=True):
            grid = convolution(silu(grid))[..., :height, :width]
        mean, raw = grid.reshape(*z.shape[:-1], 2 * self.shape[0], *self.shape[1:]).split(self.shape[0], dim=-3)
        return mean, soft_bound(raw, LOG_SIGMA_MIN, LOG_SIGMA_MAX)


def component_rows(embedding: nn.Embedding, rows: Tensor) -> None:
    """Overwrite an embedding's table (K, H) in place."""
    with torch.no_grad():
        embedding.weight.copy_(rows)
