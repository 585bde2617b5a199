"""The frozen space in which components live: projected embeddings for vectors, latents of a small encoder for images.

It is fixed when the model is created: neighbours, novelty and component ids stay comparable between training runs.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from ml_backend.core.hyperparameters import ModelConfig
from ml_backend.core.nets import ImageEncoder
from ml_backend.core.preprocess import ImageTransform, VectorTransform

Transform = VectorTransform | ImageTransform

IMAGE_WIDTH = 24
"""Channels of the representation's first convolution; the VAE's own nets, which train for longer, have 16."""
VECTORS_AT_ONCE, PICTURES_AT_ONCE = 2048, 256
"""Rows that pass through the nets together where nothing is trained. What becomes of so many small pictures stays in a
processor's cache: 16,384 of 28 x 28 are encoded in .5 seconds instead of 1.4, two threads."""


class ImageRepresentation(nn.Module):
    """(B, C, H, W) standardised -> (B, dz): the mean of a pretrained encoder, all of length sqrt(dz)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.dim = config.latent_dim
        self.encoder = ImageEncoder(config.input_shape, config.hidden_dim, IMAGE_WIDTH)
        self.to_mean = nn.Linear(config.hidden_dim, config.latent_dim)
        self.requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Coordinates of order 1; neighbours by cosine, as the pretraining drew them together."""
        latent: Tensor = self.to_mean(self.encoder(inputs))
        return nn.functional.normalize(latent, dim=1) * math.sqrt(self.dim)


class Backbone(nn.Module):
    """Everything fixed: raw items -> the VAE's input and the base representation."""

    def __init__(self, transform: Transform, image: ImageRepresentation | None) -> None:
        super().__init__()
        self.transform = transform
        self.image = image
        self.requires_grad_(False)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one preprocessed item."""
        return self.transform.output_shape

    @property
    def base_dim(self) -> int:
        """F: dimensions of the base representation."""
        return self.image.dim if self.image is not None else self.input_shape[0]

    @property
    def rows_at_once(self) -> int:
        """How many rows to pass through at a time."""
        return VECTORS_AT_ONCE if self.image is None else PICTURES_AT_ONCE

    def inputs(self, raw: Tensor) -> Tensor:
        """(B, *raw shape) -> (B, *input_shape)."""
        inputs: Tensor = self.transform(raw)
        return inputs

    def base(self, inputs: Tensor) -> Tensor:
        """(B, *input_shape) -> (B, F)."""
        if self.image is not None:
            latent: Tensor = self.image(inputs)
            return latent
        assert isinstance(self.transform, VectorTransform)
        return self.transform.base(inputs)
