"""The part of a picture that the pool's directions cannot draw."""

from __future__ import annotations

import torch

from ml_backend.core.subspace import DIRECTIONS, Subspace


def test_the_residual_is_what_the_leading_directions_leave_over() -> None:
    torch.manual_seed(0)
    plane = torch.linalg.qr(torch.randn(64, 3)).Q
    drawn = torch.randn(200, 3) @ plane.T + 2.0
    subspace = Subspace(64)
    subspace.fit(drawn.view(-1, 1, 8, 8))
    assert float(subspace.residual(drawn.view(-1, 1, 8, 8)).max()) < 1e-3
    away = torch.randn(64)
    away -= plane @ (plane.T @ away)
    # Directions beyond the plane are arbitrary: some of `away` may lie in them, but not most of it.
    seen = float(subspace.residual((drawn[:1] + away).view(1, 1, 8, 8))[0])
    assert 0.3 * float(away.norm()) < seen <= float(away.norm()) + 1e-3


def test_fewer_pictures_than_directions_are_enough() -> None:
    subspace = Subspace(100)
    pictures = torch.rand(3, 1, 10, 10)
    subspace.fit(pictures)
    assert torch.count_nonzero(subspace.directions.abs().sum(0)) <= min(3, DIRECTIONS)
    assert float(subspace.residual(torch.rand(1, 1, 10, 10))[0]) > 0.1
