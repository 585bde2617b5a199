"""Every number that shapes the model or a training run, with its unit, range and default."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from ml_backend.errors import ConfigError

Prior = Literal["standard", "mixture", "vamp"]
PRIORS: tuple[Prior, ...] = ("standard", "mixture", "vamp")
DEFAULT_PRIOR: Prior = "mixture"
"""By the evidence of held-out items; accuracy is level, and VampPrior takes a quarter longer on pictures."""

MIN_COMPONENTS = 64
MAX_COMPONENTS = 512
MAX_EPOCHS_PER_RUN = 5


class Phase(IntEnum):
    """Curriculum: what a run optimises. Higher phases keep the terms of the lower ones."""

    RECONSTRUCTION = 1
    PRIOR = 2
    LABELS = 3


def default_components(n_items: int) -> int:
    """K = clip(8 sqrt(N), 64, 512); unused components cost nothing, too few cap the accuracy."""
    return int(min(MAX_COMPONENTS, max(MIN_COMPONENTS, round(8 * math.sqrt(max(n_items, 1))))))


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Shape of one component VAE; fixed for its lifetime, except the prior, which phase 2 may change.

    input_shape: (D,) for vectors, (C, H, W) for images (uint8 0..255, H and W at most 64).
    n_components: K >= 2. n_placed: how many of them clustering places, 1..K, None = all; the others stay free.
    latent_dim: dimensions of z, 2..128.
    top_m: how many of the K components are cached per item, 1..K.
    whitened_dim: principal directions kept of a vector, >= 1.
    """

    input_shape: tuple[int, ...]
    n_components: int
    latent_dim: int
    prior: Prior = DEFAULT_PRIOR
    hidden_dim: int = 256
    top_m: int = 8
    whitened_dim: int = 96
    n_placed: int | None = None

    def __post_init__(self) -> None:
        if len(self.input_shape) not in (1, 3) or min(self.input_shape) < 1:
            raise ConfigError(f"input_shape {self.input_shape} is neither (D,) nor (C, H, W)")
        if self.n_components < 2:
            raise ConfigError(f"n_components {self.n_components} must be at least 2")
        if self.n_placed is not None and not 1 <= self.n_placed <= self.n_components:
            raise ConfigError(f"n_placed {self.n_placed} must lie in 1..{self.n_components}")
        if not 2 <= self.latent_dim <= 128:
            raise ConfigError(f"latent_dim {self.latent_dim} must lie in 2..128")
        if self.prior not in PRIORS:
            raise ConfigError(f"prior {self.prior!r} is none of {', '.join(PRIORS)}")
        if not 1 <= self.top_m <= self.n_components:
            raise ConfigError(f"top_m {self.top_m} must lie in 1..{self.n_components}")
        if self.whitened_dim < 1:
            raise ConfigError(f"whitened_dim {self.whitened_dim} must be at least 1")

    @property
    def is_image(self) -> bool:
        """Whether the input is a picture, which gets convolutional nets."""
        return len(self.input_shape) == 3


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weight (>= 0) of each loss term; 0 switches a term off."""

    reconstruction: float = 1.0
    """Gaussian NLL of x under the decoder."""
    kl: float = 1.0
    """KL(q(z|x,c) || p(z|c)), weighted by r."""
    prior: float = 0.1
    """KL(r || pi), and the pull of pseudo-latents toward N(0, I)."""
    spread: float = 0.3
    """Early, against collapse: minus the entropy of the usage. Decays to 0 by itself."""
    sparsity: float = 0.05
    """Later: plus lambda times the entropy of the usage p_hat(c) = mean_i r_c(x_i)."""
    classification: float = 1.0
    """-log p(y|x) with p = sum_c r_c tau, on labelled items."""
    contrastive: float = 1.0
    """Neighbours in the embedding should share components."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"loss weight {name} = {value!r} must be a finite number >= 0")


ITEMS_A_RUN = 85_000
"""Items that a run passes unless it is told its epochs: 60,000 pictures once, which takes a minute on two cores."""


def usual_epochs(n_items: int) -> int:
    """Epochs of a run on a pool of this size, 1..5: fewer for large ones, so that a run takes about as long."""
    return min(max(round(ITEMS_A_RUN / max(n_items, 1)), 1), MAX_EPOCHS_PER_RUN)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run. weights: None takes the curriculum's own; phase: None lets the curriculum choose.

    learning_rate: of the first step; it falls to 0 in a straight line over the run. MNIST, 10,000 images, 15 epochs:
    from .001 / .002 / .004 the evidence of held-out images is 619 / 738 / 789 nats, 686 at a constant .001.
    """

    epochs: int = 3
    seed: int = 0
    weights: LossWeights | None = None
    phase: Phase | None = None
    prior: Prior | None = None
    device: str = "auto"
    batch_size: int = 256
    learning_rate: float = 4e-3

    def __post_init__(self) -> None:
        if not 1 <= self.epochs <= MAX_EPOCHS_PER_RUN:
            raise ConfigError(f"a run has 1..{MAX_EPOCHS_PER_RUN} epochs, not {self.epochs}")
