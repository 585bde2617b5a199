"""Two views of one picture: what a pretrained encoder should not see a difference between."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, grid_sample, interpolate, normalize, pad

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
    affine = torch.stack([first, second], 1)
    bend = BEND * torch.randn(n, 2, BEND_CELLS**2, generator=generator, device=device)
    grid = torch.cat([affine, bend], 2) @ sampling_basis(inputs.shape[2], inputs.shape[3], device)
    grid = grid.reshape(n, 2, *inputs.shape[2:]).permute(0, 2, 3, 1)
    moved = grid_sample(inputs, grid, padding_mode="border", align_corners=False)
    growth = torch.rand(n, 1, 1, 1, generator=generator, device=device) * 2 - 1
    sign = torch.where(growth > 0, 1.0, -1.0)
    grown = sign * largest_around(sign * moved)
    return torch.lerp(moved, grown, growth.abs())


def sampling_basis(height: int, width: int, device: torch.device) -> Tensor:
    """(3 + BEND_CELLS^2, H W): a view's numbers times this say where each of its pixels is taken from, in -1..1.

    Rows: x, y and 1 of every pixel for the affine part, then the bicubic weights of the points of the bend. This one
    product takes a tenth of the time of `affine_grid` and `interpolate` of every picture.
    """
    x = (2 * torch.arange(width, device=device) + 1) / width - 1
    y = (2 * torch.arange(height, device=device) + 1) / height - 1
    affine = torch.stack([x.repeat(height), y.repeat_interleave(width), torch.ones(height * width, device=device)])
    points = torch.eye(BEND_CELLS**2, device=device).reshape(-1, 1, BEND_CELLS, BEND_CELLS)
    bend = interpolate(points, size=(height, width), mode="bicubic", align_corners=True)
    return torch.cat([affine, bend.flatten(1)])


def largest_around(inputs: Tensor) -> Tensor:
    """The largest of the 3 x 3 pixels around each, as max_pool2d has it, which takes ten times as long for it."""
    padded = pad(inputs, (1, 1, 1, 1), mode="replicate")
    down = torch.maximum(torch.maximum(padded[..., :-2, :], padded[..., 1:-1, :]), padded[..., 2:, :])
    return torch.maximum(torch.maximum(down[..., :-2], down[..., 1:-1]), down[..., 2:])


def view_loss(latent: Tensor) -> Tensor:
    """Each of 2B latents must find its other view, row i + B, among all by cosine. SimCLR, Chen et al. 2020."""
    unit = normalize(latent, dim=1)
    cosine = unit @ unit.T / TEMPERATURE
    cosine = cosine.masked_fill(torch.eye(len(unit), dtype=torch.bool, device=unit.device), -1e9)
    return cross_entropy(cosine, torch.arange(len(unit), device=unit.device).roll(len(unit) // 2))
