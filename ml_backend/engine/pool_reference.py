"""The pool's own values, against which its items and new ones are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.model import Encoding
from ml_backend.core.noise_trend import noise_around
from ml_backend.core.novelty import NoveltyReference, NoveltyTraits, distance_around, far_distance
from ml_backend.core.scores import mean_similarity


@dataclass(frozen=True)
class PoolReference:
    """Of the pool's N items, fitted anew after each training.

    mean_similarity: sorted. distance, aleatoric: (N,) row by row, for the neighbours of an item.
    """

    novelty: NoveltyReference
    mean_similarity: NDArray[np.float32]
    distance: NDArray[np.float32]
    aleatoric: NDArray[np.float32]

    @classmethod
    def fit(cls, neighbours: NDArray[np.int32], similarities: NDArray[np.float32], encoding: Encoding) -> PoolReference:
        distance = far_distance(similarities)
        traits = _traits(distance, encoding.aleatoric, neighbours, similarities, encoding)
        ordered = np.sort(mean_similarity(similarities))
        return cls(NoveltyReference.fit(traits), ordered, distance, encoding.aleatoric)

    def traits(
        self, neighbours: NDArray[np.int32], similarities: NDArray[np.float32], encoding: Encoding
    ) -> NoveltyTraits:
        """Of items with these neighbours in the pool."""
        return _traits(self.distance, self.aleatoric, neighbours, similarities, encoding)


def _traits(
    distance: NDArray[np.float32],
    aleatoric: NDArray[np.float32],
    neighbours: NDArray[np.int32],
    similarities: NDArray[np.float32],
    encoding: Encoding,
) -> NoveltyTraits:
    """distance, aleatoric: of the pool. An item's own sigma was trained on it if it is of the pool; its neighbours'
    were not.
    """
    return NoveltyTraits(
        distance=far_distance(similarities),
        around=distance_around(distance, neighbours),
        log_density=encoding.log_density,
        outside=encoding.outside,
        sigma=noise_around(aleatoric, neighbours),
    )
