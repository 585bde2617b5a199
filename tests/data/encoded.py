"""Encoded values as the vectors they must be."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.encoders.base import Value


def vector(value: Value) -> NDArray[np.float32]:
    """The value of an item that is readable and no picture."""
    assert isinstance(value, np.ndarray), f"{value!r} should have been encoded"
    assert value.dtype == np.float32
    return value.astype(np.float32)


def vectors(values: Iterable[Value]) -> NDArray[np.float32]:
    """One row per value."""
    return np.stack([vector(value) for value in values])
