"""The representation of images draws the views of a picture together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ml_backend.core.hyperparameters import ModelConfig
from ml_backend.core.preprocess import ImageTransform
from ml_backend.core.pretrain import pretrain_images
from ml_backend.core.representation import ImageRepresentation
from ml_backend.core.views import distort, view_loss
from tests.core.synthetic import bars


def untrained(x: NDArray[np.uint8]) -> tuple[ImageRepresentation, ImageTransform]:
    torch.manual_seed(0)
    config = ModelConfig(input_shape=x.shape[1:], n_components=8, latent_dim=6, hidden_dim=32)
    return ImageRepresentation(config), ImageTransform.fit(x, seed=0)


def misses(representation: ImageRepresentation, transform: ImageTransform, x: NDArray[np.uint8]) -> float:
    """How badly views of unseen pictures find each other."""
    with torch.no_grad():
        inputs = transform(torch.from_numpy(np.concatenate([x, x])))
        return float(view_loss(representation(distort(inputs, torch.Generator().manual_seed(1)))))


@pytest.mark.slow
def test_pretraining_brings_views_of_unseen_pictures_together_and_freezes() -> None:
    x, _ = bars(400, seed=0)
    unseen, _ = bars(100, seed=1)
    representation, transform = untrained(x)
    before = misses(representation, transform, unseen)
    pretrain_images(representation, transform, x, seed=0, should_stop=lambda: False, steps=40)
    assert misses(representation, transform, unseen) < before - 0.5
    assert not any(parameter.requires_grad for parameter in representation.parameters())


def test_a_stop_is_honoured_and_leaves_the_weights_finite_and_frozen() -> None:
    x, _ = bars(20, seed=0)
    representation, transform = untrained(x)
    asked = iter([False, False, True])
    pretrain_images(representation, transform, x, seed=0, should_stop=lambda: next(asked))
    assert all(bool(parameter.isfinite().all()) for parameter in representation.parameters())
    assert not any(parameter.requires_grad for parameter in representation.parameters())


def test_a_single_picture_is_its_own_partner() -> None:
    x, _ = bars(1, seed=0)
    representation, transform = untrained(x)
    pretrain_images(representation, transform, x, seed=0, should_stop=lambda: False, steps=2)
    assert all(bool(parameter.isfinite().all()) for parameter in representation.parameters())


def test_views_have_thicker_and_thinner_strokes() -> None:
    x = np.zeros((200, 1, 16, 16), np.uint8)
    x[:, 0, 6:10, 3:13] = 255
    inputs = torch.from_numpy(x).float() / 255
    bright = distort(inputs, torch.Generator().manual_seed(0)).sum((1, 2, 3)) / inputs.sum((1, 2, 3))
    # Scaling alone changes the area by a factor of .64 to 1.44, and rarely by as much.
    assert float((bright > 1.5).float().mean()) > 0.1
    assert float((bright < 0.6).float().mean()) > 0.1
