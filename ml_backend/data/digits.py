"""Demo pictures: scikit-learn's bundled 1,797 handwritten digits (UCI, 8 x 8, 0..16), so that a fresh machine needs no
download.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from ml_backend.data.dataset import Dataset

SCALE = 2
"""Every pixel becomes a square of this side: 16 x 16 pictures, which the convolutional nets halve without a remainder.
"""


def load_digits_dataset(scale: int = SCALE) -> Dataset:
    """images: (1797, 1, 8*scale, 8*scale) uint8, 0 = background, 255 = ink; y: "0".."9". scale: 1..8."""
    bunch = load_digits()
    grey = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    enlarged = np.repeat(np.repeat(grey, scale, axis=1), scale, axis=2)
    return Dataset("digits", images=np.ascontiguousarray(enlarged[:, None]), y=bunch.target.astype(np.str_))
