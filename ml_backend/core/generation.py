"""Pictures that a component stands for, drawn by the decoder: its prototype, walks around it, its pseudo-input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml_backend.core.preprocess import ImageTransform
from ml_backend.core.priors import VampPrior
from ml_backend.core.vae import ComponentVAE

WALK = tuple(float(step) for step in np.linspace(-3.0, 3.0, 9))
"""Steps of a walk in standard deviations of the component's latents."""


@dataclass(frozen=True)
class Prototype:
    """What a component draws. mean: (C, H, W) uint8 0..255. sigma: (C, H, W) float32 > 0, where 1 is how much the
    pool's pictures differ from their mean.
    """

    mean: NDArray[np.uint8]
    sigma: NDArray[np.float32]


class Generator:
    """The decoder side of one image model; components are 0..K-1. Raises IndexError outside."""

    def __init__(self, vae: ComponentVAE, transform: ImageTransform) -> None:
        self._vae = vae
        self._transform = transform

    @torch.no_grad()
    def prototype(self, component: int) -> Prototype:
        """At the mean of the component's latents."""
        mean_z, _ = self._latents(component)
        mean, log_sigma = self._vae.decode(mean_z[None], self._index(component, 1))
        return Prototype(self._pixels(mean)[0], log_sigma.exp()[0].float().cpu().numpy())

    @torch.no_grad()
    def axes(self, component: int) -> NDArray[np.int64]:
        """(dz,) directions of z, those that change the picture most first: by the distance between the ends of a walk
        along them.
        """
        mean_z, sd = self._latents(component)
        offsets = torch.diag(sd) * WALK[-1]
        index = self._index(component, len(sd))
        far, _ = self._vae.decode(mean_z + offsets, index)
        near, _ = self._vae.decode(mean_z - offsets, index)
        change = (far - near).flatten(1).norm(dim=1)
        return np.argsort(-change.cpu().numpy(), kind="stable")

    @torch.no_grad()
    def walk(self, component: int, axis: int) -> NDArray[np.uint8]:
        """(len(WALK), C, H, W) uint8 along one direction of z, in the order of `axes`; the others stay at the mean."""
        mean_z, sd = self._latents(component)
        direction = int(self.axes(component)[axis])
        z = mean_z.repeat(len(WALK), 1)
        z[:, direction] += torch.tensor(WALK, device=z.device) * sd[direction]
        mean, _ = self._vae.decode(z, self._index(component, len(WALK)))
        return self._pixels(mean)

    @torch.no_grad()
    def pseudo_input(self, component: int) -> NDArray[np.uint8] | None:
        """(C, H, W) uint8, the picture that the VampPrior has learned to stand for the component; None for the other
        priors.
        """
        prior = self._vae.prior
        return self._pixels(prior.pseudo_inputs[component][None])[0] if isinstance(prior, VampPrior) else None

    def _latents(self, component: int) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (dz,) of z over the pool, where the decoder was trained, whatever the prior."""
        return self._vae.latent_mean[component], (0.5 * self._vae.latent_log_variance[component]).exp()

    def _index(self, component: int, n: int) -> Tensor:
        return torch.full((n,), component, dtype=torch.int64, device=self._vae.pi_logits.device)

    def _pixels(self, inputs: Tensor) -> NDArray[np.uint8]:
        return self._transform.pixels(inputs).cpu().numpy()
