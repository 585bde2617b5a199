"""Named sets of loss weights, from which a person starts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ml_backend.core.hyperparameters import LossWeights

PRESETS: Mapping[str, LossWeights] = MappingProxyType(
    {
        "balanced": LossWeights(),
        "cluster-tight": LossWeights(kl=2.0, prior=0.3, sparsity=0.2, classification=0.3, contrastive=3.0),
        "classifier-first": LossWeights(reconstruction=0.3, kl=0.3, sparsity=0.0, classification=5.0, contrastive=0.5),
    }
)
"""balanced: the defaults. cluster-tight: few components whose items are alike, whatever the labels say.
classifier-first: components follow the labels."""
