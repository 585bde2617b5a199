"""The frozen space in which components live: projected embeddings for vectors, latents of a small autoencoder for images.

It is fixed when the model is created, so that neighbours, novelty and component ids stay comparable between training runs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ml_backend.core.hyperparameters import ModelConfig
from ml_backend.core.nets import ImageEncoder
from ml_backend.core.preprocess import ImageTransform, VectorTransform

Transform = VectorTransform | ImageTransform


class ImageRepresentation(nn.Module):
    """(B, C, H, W) standardised -> (B, dz): the mean of a pretrained encoder, centred, with mean variance 1."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = ImageEncoder(config.input_shape, config.hidden_dim)
        self.to_mean = nn.Linear(config.hidden_dim, config.latent_dim)
        self.register_buffer("centre", torch.zeros(config.latent_dim))
        self.register_buffer("scale", torch.ones(()))
        self.requires_grad_(False)

    centre: Tensor
    scale: Tensor

    def forward(self, inputs: Tensor) -> Tensor:
        """Coordinates of order 1."""
        mean: Tensor = self.to_mean(self.encoder(inputs))
        return (mean - self.centre) * self.scale


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
        return len(self.image.centre) if self.image is not None else self.input_shape[0]

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
