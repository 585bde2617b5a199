"""The representation of images: a short autoencoder run, KL off, whose latents also ignore small distortions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, cross_entropy, grid_sample, normalize

from ml_backend.core.nets import ImageDecoder, component_rows
from ml_backend.core.representation import Backbone
from ml_backend.core.vae import ComponentVAE

STEPS, FEWEST_STEPS = 1000, 200
"""Batches: one for every two pictures of the pool, within these bounds. A small pool is learned sooner."""
BATCH = 256
LEARNING_RATE = 2e-3
INVARIANCE_WEIGHT = 0.1
"""Weight of the contrastive term against the squared error per pixel."""
TEMPERATURE = 0.2
"""Of the contrastive term's cosines."""
ROTATION, SCALE, SHEAR, SHIFT = 0.35, 0.2, 0.25, 0.15
"""Largest distortions: radians, relative size, relative slant, share of half the picture."""


def pretrain_images(
    vae: ComponentVAE,
    backbone: Backbone,
    x: NDArray[np.generic],
    *,
    seed: int,
    should_stop: Callable[[], bool],
    steps: int | None = None,
) -> None:
    """Train encoder and decoder without components, then freeze a copy of the encoder as the representation.

    All components start from the same decoder. Stopping early leaves a coarser representation, not a broken one.
    """
    assert isinstance(vae.decoder, ImageDecoder)
    steps = steps or min(STEPS, max(FEWEST_STEPS, len(x) // 2))
    device = vae.pi_logits.device
    nets = (vae.encoder, vae.to_mean, vae.decoder)
    optimiser = torch.optim.Adam([p for net in nets for p in net.parameters()], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    random = np.random.default_rng(seed)
    generator = torch.Generator(device).manual_seed(seed)
    for _ in range(steps):
        if should_stop():
            break
        rows = np.sort(random.choice(len(x), min(BATCH, len(x)), replace=False))
        loss = _loss(vae, backbone.inputs(torch.from_numpy(x[rows]).to(device)), generator)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    component_rows(vae.decoder.component, vae.decoder.component.weight[:1].expand_as(vae.decoder.component.weight))
    assert backbone.image is not None
    backbone.image.encoder.load_state_dict(vae.encoder.state_dict())
    backbone.image.to_mean.load_state_dict(vae.to_mean.state_dict())


def _loss(vae: ComponentVAE, inputs: Tensor, generator: torch.Generator) -> Tensor:
    components = torch.zeros(len(inputs), dtype=torch.int64, device=inputs.device)
    latent = vae.to_mean(vae.encoder(torch.cat([inputs, distort(inputs, generator)])))
    decoded, _ = vae.decode(latent[: len(inputs)], components)
    return 2 * (inputs - decoded).square().mean() + INVARIANCE_WEIGHT * view_loss(latent)


def view_loss(latent: Tensor) -> Tensor:
    """Each of 2B latents must find its other view, row i + B, among all by cosine. SimCLR, Chen et al. 2020."""
    unit = normalize(latent, dim=1)
    cosine = unit @ unit.T / TEMPERATURE
    cosine = cosine.masked_fill(torch.eye(len(unit), dtype=torch.bool, device=unit.device), -1e9)
    return cross_entropy(cosine, torch.arange(len(unit), device=unit.device).roll(len(unit) // 2))


def distort(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """(B, C, H, W) slightly rotated, scaled, slanted and shifted, each picture in its own way; never mirrored."""
    size = torch.tensor([ROTATION, SCALE, SCALE, SHEAR, SHIFT, SHIFT], device=inputs.device)[:, None]
    draws = torch.rand(6, len(inputs), generator=generator, device=inputs.device) * 2 - 1
    angle, width, height, slant, right, down = draws * size
    first = torch.stack([angle.cos() * (1 + width), slant - angle.sin(), right], 1)
    second = torch.stack([angle.sin(), angle.cos() * (1 + height), down], 1)
    grid = affine_grid(torch.stack([first, second], 1), list(inputs.shape), align_corners=False)
    return grid_sample(inputs, grid, padding_mode="border", align_corners=False)
