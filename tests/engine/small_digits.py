"""Handwritten digits of scikit-learn, 1,797 of 8 x 8: real pictures that are there without any download."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Images = NDArray[np.uint8]


def digits(shift: int = 0) -> tuple[Images, NDArray[np.str_]]:
    """Pictures (N, 1, side, side), twice as large as given, at random places up to `shift` pixels from the centre."""
    given = load_digits()
    large = np.kron(given.images * (255 / 16), np.ones((1, 2, 2))).astype(np.uint8)
    height, width = large.shape[1:]
    images = np.zeros((len(large), 1, height + 2 * shift, width + 2 * shift), np.uint8)
    places = np.random.default_rng(0).integers(0, 2 * shift + 1, size=(len(large), 2))
    for image, picture, (top, left) in zip(images, large, places, strict=True):
        image[0, top : top + height, left : left + width] = picture
    return images, given.target.astype(np.str_)
