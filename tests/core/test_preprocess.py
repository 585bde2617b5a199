"""Whitening, the base representation, and the distorted views of images."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import affine_grid, interpolate, max_pool2d

from ml_backend.core.preprocess import ImageTransform, VectorTransform
from ml_backend.core.views import BEND_CELLS, distort, largest_around, sampling_basis, view_loss
from tests.core.synthetic import bars, blobs


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 30))
def test_whitened_vectors_have_unit_covariance(seed: int, directions: int) -> None:
    x, _ = blobs(500, 5, 24, seed=seed)
    transform = VectorTransform.fit(x, directions, seed=0)
    whitened = transform(torch.from_numpy(x)).double()
    assert whitened.shape[1] == min(directions, 24)
    assert torch.allclose(whitened.mean(0), torch.zeros(whitened.shape[1], dtype=torch.float64), atol=1e-3)
    assert torch.allclose(whitened.T @ whitened / 500, torch.eye(whitened.shape[1], dtype=torch.float64), atol=2e-2)


def test_the_length_of_a_vector_does_not_count() -> None:
    x, _ = blobs(100, 3, 10, seed=0)
    transform = VectorTransform.fit(x, 6, seed=0)
    assert torch.allclose(transform(torch.from_numpy(x)), transform(torch.from_numpy(50 * x)), atol=1e-4)


def test_the_base_keeps_cosines_around_the_mean() -> None:
    x, _ = blobs(100, 3, 10, seed=0)
    transform = VectorTransform.fit(x, 10, seed=0)
    base = transform.base(transform(torch.from_numpy(x)))
    unit = torch.nn.functional.normalize(torch.from_numpy(x), dim=1)
    centred = torch.nn.functional.normalize(unit - unit.mean(0), dim=1)
    assert torch.allclose(base @ base.T / base.shape[1], centred @ centred.T, atol=1e-3)


def test_directions_of_rounding_noise_are_dropped() -> None:
    x = np.hstack([np.random.default_rng(0).normal(size=(200, 3)), np.ones((200, 5))]).astype(np.float32)
    transform = VectorTransform.fit(x, 8, seed=0)
    assert transform.output_shape[0] <= 4
    assert bool(transform(torch.from_numpy(x)).isfinite().all())


def test_images_are_standardised_per_channel_and_blank_ones_survive() -> None:
    x, _ = bars(200, seed=0)
    inputs = ImageTransform.fit(x, seed=0)(torch.from_numpy(x))
    assert abs(float(inputs.mean())) < 1e-3
    assert abs(float(inputs.std()) - 1) < 1e-2
    blank = np.zeros((5, 3, 8, 8), np.uint8)
    assert bool(ImageTransform.fit(blank, seed=0)(torch.from_numpy(blank)).isfinite().all())


def test_distorted_views_differ_but_stay_like_their_picture() -> None:
    x, _ = bars(60, seed=0, size=16)
    inputs = ImageTransform.fit(x, seed=0)(torch.from_numpy(x))
    views = distort(inputs, torch.Generator().manual_seed(0))
    assert views.shape == inputs.shape
    assert float((views - inputs).abs().mean()) > 0.1
    assert float(views.min()) >= float(inputs.min()) - 1e-4
    assert torch.equal(views, distort(inputs, torch.Generator().manual_seed(0)))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 20), st.integers(2, 20))
def test_pixels_are_taken_from_where_affine_grid_and_bicubic_interpolation_say(
    seed: int, height: int, width: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    affine = torch.randn(4, 2, 3, generator=generator)
    bend = torch.randn(4, 2, BEND_CELLS, BEND_CELLS, generator=generator)
    basis = sampling_basis(height, width, affine.device)
    product = (torch.cat([affine, bend.flatten(2)], 2) @ basis).reshape(4, 2, height, width)
    grid = affine_grid(affine, [4, 1, height, width], align_corners=False).permute(0, 3, 1, 2)
    bent = interpolate(bend, size=(height, width), mode="bicubic", align_corners=True)
    assert torch.allclose(product, grid + bent, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 9), st.integers(1, 9))
def test_pixels_grow_by_the_largest_of_their_neighbours(seed: int, height: int, width: int) -> None:
    inputs = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(largest_around(inputs), max_pool2d(inputs, 3, stride=1, padding=1))


def test_view_loss_is_least_when_views_meet_and_pictures_part() -> None:
    apart = torch.eye(8)
    meeting = float(view_loss(torch.cat([apart, apart])))
    assert meeting < float(view_loss(torch.cat([apart, apart.roll(1, 0)])))
    assert meeting < float(view_loss(torch.ones(16, 8)))
    assert abs(float(view_loss(torch.ones(16, 8))) - np.log(15)) < 1e-4  # all alike: a guess among the 15 others
