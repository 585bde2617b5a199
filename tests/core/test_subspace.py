"""The part of a picture that the pool's directions cannot draw."""

from __future__ import annotations

import pytest
import torch

from ml_backend.core.subspace import DIRECTIONS, PICTURES_PER_DIRECTION, Subspace


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


@pytest.mark.parametrize("n", [1, 20, 50, 200])
def test_in_a_small_pool_a_new_picture_is_no_farther_away_than_the_old_ones(n: int) -> None:
    torch.manual_seed(0)
    pictures, new = torch.rand(n, 1, 10, 10), torch.rand(100, 1, 10, 10)
    subspace = Subspace(100)
    subspace.fit(pictures)
    assert torch.count_nonzero(subspace.directions.abs().sum(0)) <= min(n // PICTURES_PER_DIRECTION, DIRECTIONS)
    if n > 1:
        assert float(subspace.residual(new).median()) < 1.4 * float(subspace.residual(pictures).median())


def test_the_same_pictures_give_the_same_directions_whatever_was_drawn_before() -> None:
    torch.manual_seed(0)
    pictures, found = torch.rand(400, 1, 10, 10), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        subspace = Subspace(100)
        subspace.fit(pictures)
        found.append(subspace.directions.clone())
    assert torch.equal(found[0], found[1])
