"""torch's Normal by what its base class declares: only there have the methods annotations."""

from __future__ import annotations

from torch import Tensor
from torch.distributions import Distribution, Normal


def gaussian(mean: Tensor, scale: Tensor) -> Distribution:
    """Independent normals."""
    return Normal(mean, scale)
