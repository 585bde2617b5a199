"""From raw items to the model's input: L2, then PCA-whitened for vectors; standardised pixels for images."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml_backend.core.hyperparameters import ModelConfig
from ml_backend.errors import InputError

FIT_ROWS = 20_000
"""At most so many rows are looked at when the transform is fitted."""
MOMENT_CHUNK = 2048
MIN_RELATIVE_VARIANCE = 1e-6
"""Principal directions with less than this share of the largest variance carry rounding noise only and are dropped."""


def check_items(config: ModelConfig, x: NDArray[np.generic]) -> None:
    """Raise InputError unless x is (N, *input_shape) with N >= 1 and, for vectors, finite."""
    if x.ndim != 1 + len(config.input_shape) or x.shape[1:] != config.input_shape:
        raise InputError(f"items of shape {x.shape[1:]} do not fit a model for {config.input_shape}")
    if len(x) == 0:
        raise InputError("there are no items")
    if config.is_image and x.dtype != np.uint8:
        raise InputError(f"images must be uint8 0..255, not {x.dtype}")
    if not config.is_image and not all(np.isfinite(x[i : i + 4096]).all() for i in range(0, len(x), 4096)):
        raise InputError("vectors must be finite: found NaN or infinity")


def sample_rows(n: int, limit: int, seed: int) -> NDArray[np.int64]:
    """At most `limit` of n row numbers, without replacement, sorted."""
    if n <= limit:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, limit, replace=False))


def _unit_moments(x: NDArray[np.generic], rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Mean (D,) and covariance (D, D), float64, of the L2-normalised rows, in chunks: no copy of the pool."""
    total = torch.zeros(x.shape[1], dtype=torch.float64)
    square = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    for start in range(0, len(rows), MOMENT_CHUNK):
        chunk = torch.from_numpy(np.asarray(x[rows[start : start + MOMENT_CHUNK]], dtype=np.float32))
        unit = nn.functional.normalize(chunk, dim=1)
        total += unit.sum(0)
        square += unit.T @ unit
    mean = total / len(rows)
    return mean, square / len(rows) - torch.outer(mean, mean)


class VectorTransform(nn.Module):
    """L2-normalise (zero rows stay zero), centre, project on P principal directions, scale to unit variance.

    Whitened rows feed the VAE. The same projection without the scaling, L2-normalised, is where components live:
    whitening blows up noise directions and cost 7 points of k-means accuracy on sentence embeddings.
    """

    def __init__(self, dim: int, n_directions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("directions", torch.zeros(dim, n_directions))
        self.register_buffer("scale", torch.ones(n_directions))

    mean: Tensor
    directions: Tensor
    scale: Tensor

    @staticmethod
    def fit(x: NDArray[np.generic], max_directions: int, *, seed: int) -> VectorTransform:
        """PCA of at most FIT_ROWS rows of x (N, D)."""
        mean, covariance = _unit_moments(x, sample_rows(len(x), FIT_ROWS, seed))
        variance, directions = torch.linalg.eigh(covariance)
        order = torch.argsort(variance, descending=True)[: min(max_directions, len(mean))]
        kept = order[variance[order] > MIN_RELATIVE_VARIANCE * variance.max().clamp_min(1e-12)]
        kept = kept if len(kept) else order[:1]
        transform = VectorTransform(len(mean), len(kept))
        transform.mean.copy_(mean)
        transform.directions.copy_(directions[:, kept])
        transform.scale.copy_(variance[kept].clamp_min(1e-12).rsqrt())
        return transform

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(P,)."""
        return (len(self.scale),)

    def forward(self, raw: Tensor) -> Tensor:
        """(B, D) any float -> (B, P) whitened."""
        unit = nn.functional.normalize(raw.float(), dim=1)
        return (unit - self.mean) @ self.directions * self.scale

    def base(self, whitened: Tensor) -> Tensor:
        """(B, P) whitened -> (B, P) un-whitened, all of length sqrt(P): cosine geometry, coordinates of order 1."""
        return nn.functional.normalize(whitened / self.scale, dim=1) * math.sqrt(len(self.scale))


class ImageTransform(nn.Module):
    """uint8 pixels -> zero mean, unit variance over the whole pool, per channel."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", torch.zeros(shape[0], 1, 1))
        self.register_buffer("scale", torch.ones(shape[0], 1, 1))

    mean: Tensor
    scale: Tensor

    @staticmethod
    def fit(x: NDArray[np.generic], *, seed: int) -> ImageTransform:
        """Channel moments of at most FIT_ROWS images (N, C, H, W)."""
        transform = ImageTransform(x.shape[1:])
        pixels = np.asarray(x[sample_rows(len(x), FIT_ROWS // 4, seed)], dtype=np.float32)
        transform.mean.copy_(torch.from_numpy(pixels.mean((0, 2, 3)))[:, None, None])
        deviation = torch.from_numpy(pixels.std((0, 2, 3))).clamp_min(1.0)
        transform.scale.copy_(1 / deviation[:, None, None])
        return transform

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return self.shape

    def forward(self, raw: Tensor) -> Tensor:
        """(B, C, H, W) 0..255 -> (B, C, H, W) standardised."""
        return torch.mul(raw.float() - self.mean, self.scale)

    def pixels(self, inputs: Tensor) -> Tensor:
        """The way back: (B, C, H, W) standardised -> uint8, rounded and clipped to 0..255."""
        return (inputs / self.scale + self.mean).round().clamp(0, 255).to(torch.uint8)
