"""Two views of one picture: what a pretrained encoder should not see a difference between."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, cross_entropy, grid_sample, interpolate, max_pool2d, normalize

TEMPERATURE = 0.2
"""Of the contrastive term's cosines."""
ROTATION, SCALE, SHEAR, SHIFT = 0.35, 0.2, 0.25, 0.15
"""Largest distortions: radians, relative size, relative slant, share of half the picture."""
BEND, BEND_CELLS = 0.05, 4
"""Elastic distortion: standard deviation of the shifts (share of half the picture) of a grid of 4 x 4 points."""


def distort(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """(B, C, H, W) rotated, scaled, slanted, shifted, bent, with bright parts grown or shrunk; never mirrored.

    Each picture is distorted in its own way. Growing and shrinking (grey dilation and erosion by a pixel) is what
    makes strokes thick and thin; without it the encoder groups digits by their pen.
    """
    n, device = len(inputs), inputs.device
    size = torch.tensor([ROTATION, SCALE, SCALE, SHEAR, SHIFT, SHIFT], device=device)[:, None]
    draws = torch.rand(6, n, generator=generator, device=device) * 2 - 1
    angle, width, height, slant, right, down = draws * size
    first = torch.stack([angle.cos() * (1 + width), slant - angle.sin(), right], 1)
    second = torch.stack([angle.sin(), angle.cos() * (1 + height), down], 1)
    grid = affine_grid(torch.stack([first, second], 1), list(inputs.shape), align_corners=False)
    bend = BEND * torch.randn(n, 2, BEND_CELLS, BEND_CELLS, generator=generator, device=device)
    bend = interpolate(bend, size=inputs.shape[2:], mode="bicubic", align_corners=True)
    moved = grid_sample(inputs, grid + bend.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
    growth = torch.rand(n, 1, 1, 1, generator=generator, device=device) * 2 - 1
    sign = torch.where(growth > 0, 1.0, -1.0)
    grown = sign * max_pool2d(sign * moved, 3, stride=1, padding=1)
    return torch.lerp(moved, grown, growth.abs())


def view_loss(latent: Tensor) -> Tensor:
    """Each of 2B latents must find its other view, row i + B, among all by cosine. SimCLR, Chen et al. 2020."""
    unit = normalize(latent, dim=1)
    cosine = unit @ unit.T / TEMPERATURE
    cosine = cosine.masked_fill(torch.eye(len(unit), dtype=torch.bool, device=unit.device), -1e9)
    return cross_entropy(cosine, torch.arange(len(unit), device=unit.device).roll(len(unit) // 2))
