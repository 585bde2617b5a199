"""How far a picture lies outside the pictures of the pool altogether, whatever its latent says.

An encoder that has only ever seen digits puts noise and chess boards among the digits. The part of a picture that the
pool's principal directions cannot draw tells them apart (the residual of ViM, Wang et al. 2022, here of the pixels).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

DIRECTIONS = 32
PICTURES_PER_DIRECTION = 10
"""At least so many, or the pool's own pictures would be drawn by heart and every new one would look strange."""


class Subspace(nn.Module):
    """The leading principal directions of flattened inputs."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("directions", torch.zeros(dim, min(DIRECTIONS, dim)))

    mean: Tensor
    directions: Tensor

    @torch.no_grad()
    def fit(self, inputs: Tensor) -> None:
        """inputs: (n, *shape), n >= 1. Directions that few pictures do not bear stay zero."""
        rows = inputs.flatten(1).float()
        self.mean.copy_(rows.mean(0))
        count = min(self.directions.shape[1], len(rows) // PICTURES_PER_DIRECTION)
        self.directions.zero_()
        if count:
            with torch.random.fork_rng():  # it draws: the same pictures are to give the same directions
                torch.manual_seed(0)
                _, _, found = torch.pca_lowrank(rows, q=count, center=True)
            self.directions[:, :count].copy_(found)

    def residual(self, inputs: Tensor) -> Tensor:
        """(B, *shape) -> (B,) >= 0: length of what the directions leave over, HIGH = unlike any picture of the pool."""
        rows = inputs.flatten(1) - self.mean
        residual: Tensor = torch.linalg.vector_norm(rows - (rows @ self.directions) @ self.directions.T, dim=1)
        return residual
