"""The representation of images: an encoder that maps distorted views of a picture, then its neighbours, together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from ml_backend.core.preprocess import ImageTransform, sample_rows
from ml_backend.core.representation import PICTURES_AT_ONCE, ImageRepresentation
from ml_backend.core.views import distort, view_loss

STEPS, FEWEST_STEPS = 1000, 200
"""Batches of the first stage: one for every twenty pictures of the pool, within these bounds."""
PICTURES_PER_STEP = 20
SECOND_STAGE = 0.5
"""Length of the second stage relative to the first."""
BATCH = 256
LEARNING_RATE = 2e-3
SECOND_LEARNING_RATE = 1e-3
PARTNERS = 5
"""The second stage draws a picture's partner from so many nearest ones."""
BANK_ROWS = 20_000
"""At most so many pictures are looked through for partners."""


def pretrain_images(
    representation: ImageRepresentation,
    transform: ImageTransform,
    x: NDArray[np.generic],
    *,
    seed: int,
    should_stop: Callable[[], bool],
    steps: int | None = None,
) -> None:
    """Train the representation on x (N, C, H, W) uint8, then freeze it; steps: of the first stage, None = by N.

    First the two views are distortions of one picture (SimCLR, Chen et al. 2020), then of a picture and of one of its
    nearest in what the first stage learned (NNCLR, Dwibedi et al. 2021): groups close up and gaps open between them.
    Stopping early leaves a coarser representation, not a broken one.
    """
    steps = steps or min(STEPS, max(FEWEST_STEPS, len(x) // PICTURES_PER_STEP))
    representation.requires_grad_(True)
    training = _Pretraining(representation, transform, x, seed)
    if training.run(steps, LEARNING_RATE, should_stop, lambda rows: rows):
        training.run(round(SECOND_STAGE * steps), SECOND_LEARNING_RATE, should_stop, training.partners())
    representation.requires_grad_(False)


class _Pretraining:
    def __init__(
        self, representation: ImageRepresentation, transform: ImageTransform, x: NDArray[np.generic], seed: int
    ) -> None:
        self._representation, self._transform, self._x = representation, transform, x
        self._device = transform.mean.device
        self._seed = seed
        self._random = np.random.default_rng(seed)
        self._generator = torch.Generator(self._device).manual_seed(seed)

    def run(
        self,
        steps: int,
        rate: float,
        should_stop: Callable[[], bool],
        partner: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    ) -> bool:
        """One stage; False when it was asked to stop. partner: (B,) rows -> (B,) rows seen in the other view."""
        optimiser = torch.optim.Adam(self._representation.parameters(), lr=rate, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
        for _ in range(steps):
            if should_stop():
                return False
            rows = np.sort(self._random.choice(len(self._x), min(BATCH, len(self._x)), replace=False))
            inputs = self._inputs(np.concatenate([rows, partner(rows)]))
            loss = view_loss(self._representation(distort(inputs, self._generator)))
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
        return True

    @torch.no_grad()
    def partners(self) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
        """Draws one of the PARTNERS nearest pictures, by cosine in the representation as it is now."""
        everything = np.arange(len(self._x))
        parts = np.array_split(everything, max(1, len(everything) // PICTURES_AT_ONCE))
        latent = torch.cat([normalize(self._representation(self._inputs(part)), dim=1) for part in parts])
        bank = sample_rows(len(self._x), BANK_ROWS, self._seed)
        among = latent[bank]

        def draw(rows: NDArray[np.int64]) -> NDArray[np.int64]:
            cosine: Tensor = latent[rows] @ among.T
            own = torch.from_numpy(rows[:, None] == bank[None]).to(self._device)
            nearest = cosine.masked_fill(own, -2.0).topk(min(PARTNERS, len(bank)), dim=1).indices.cpu().numpy()
            choice = self._random.integers(0, nearest.shape[1], len(rows))
            return np.asarray(bank[nearest[np.arange(len(rows)), choice]])

        return draw

    def _inputs(self, rows: NDArray[np.int64]) -> Tensor:
        inputs: Tensor = self._transform(torch.from_numpy(self._x[rows]).to(self._device))
        return inputs
