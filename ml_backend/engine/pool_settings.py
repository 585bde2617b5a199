"""What a project sets of its pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.hyperparameters import DEFAULT_PRIOR, ModelConfig, Prior, default_components
from ml_backend.errors import ConfigError

IMAGE_LATENT_DIM = 16
VECTOR_LATENT_DIM = 32
MIN_ITEMS_PER_COMPONENT = 4
"""On average, unless K is set: in a pool of fewer than 256 items some components stay free, so that labels spread."""


@dataclass(frozen=True, kw_only=True)
class PoolSettings:
    """What a project sets. None: the data-derived default.

    n_components: K. latent_dim: dimensions of z. alpha0: label smoothing per class. query: "lantern" or "s_ood".
    temperature: softens r for s_ood, 1 = the formula of r as it is; on CLINC150 (held-out training items, 300 labels)
    1/2/4/8 told unknown intents apart with AUROC .84/.95/.97/.97. never_seen_level: novelty p-value at or below which
    an item counts as never seen. neighbours: k of the neighbour graph. device: "auto", "cpu" or "cuda".
    """

    n_components: int | None = None
    latent_dim: int | None = None
    prior: Prior = DEFAULT_PRIOR
    alpha0: float | None = None
    query: str = "lantern"
    temperature: float = 4.0
    never_seen_level: float = 0.01
    neighbours: int = 15
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.query not in ("lantern", "s_ood"):
            raise ConfigError(f"query {self.query!r} is neither 'lantern' nor 's_ood'")
        if not self.temperature > 0:
            raise ConfigError(f"temperature {self.temperature!r} must be > 0")
        if not 0 <= self.never_seen_level < 1:
            raise ConfigError(f"never_seen_level {self.never_seen_level!r} must lie in [0, 1)")
        if self.neighbours < 1:
            raise ConfigError(f"neighbours {self.neighbours!r} must be at least 1")

    def components(self, n_items: int) -> int:
        """K for a pool of so many items."""
        return default_components(n_items) if self.n_components is None else self.n_components

    def placed(self, n_items: int) -> int:
        """How many of them clustering places; the others are free for data to come."""
        if self.n_components is not None:
            return self.n_components
        return max(2, min(self.components(n_items), n_items // MIN_ITEMS_PER_COMPONENT))

    def model_config(self, x: NDArray[np.generic]) -> ModelConfig:
        """Shape of a model for the items x."""
        shape = x.shape[1:]
        latent = self.latent_dim or (IMAGE_LATENT_DIM if len(shape) == 3 else VECTOR_LATENT_DIM)
        k = self.components(len(x))
        return ModelConfig(
            input_shape=shape,
            n_components=k,
            latent_dim=latent,
            prior=self.prior,
            top_m=min(8, k),
            n_placed=self.placed(len(x)),
        )
