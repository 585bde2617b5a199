"""Vectors as given: a list of numbers in the task, or a .npy file.

Threat: a .npy header may claim pickled objects or more numbers than the file holds; both are refused before anything is
allocated.
"""

from __future__ import annotations

import io
import math
import tokenize
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ml_backend.data.cache import Array
from ml_backend.data.encoders.base import Item, Value, other_dimension
from ml_backend.data.records import Unreadable
from ml_backend.data.source import SourceKind
from ml_backend.errors import EncodingError

MAX_DIMENSION = 16_384
"""Longest vector; the longest of today's text encoders have 8,192 numbers."""


DAMAGED_ARRAY = (
    ValueError,
    TypeError,
    SyntaxError,
    OSError,
    OverflowError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)
"""What numpy raises of a .npy file: it reads the header as Python."""


class VectorEncoder:
    """Checks and converts, computes nothing: the team brought its own vectors."""

    name = "vector"
    kind: SourceKind = "vector"
    batch = 512

    def encode(self, items: Sequence[Item]) -> list[Value]:
        """(D,) float32 as given, not normalised. Items: lists of numbers or bytes of .npy files."""
        return [_read(item) for item in items]

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        """A vector of another dimension means nothing here."""
        return other_dimension(value, shape)


def read_npy(content: bytes) -> NDArray[np.generic]:
    """The array in a .npy file. Raises EncodingError if it is none, holds objects, or is shorter than it claims."""
    stream = io.BytesIO(content)
    try:
        shape, dtype = _read_header(stream)
        if dtype.hasobject:
            raise EncodingError("its .npy file holds Python objects, which are refused: save numbers")
        if math.prod(shape) * dtype.itemsize > len(content) - stream.tell():
            raise EncodingError("its .npy file is shorter than its header claims")
        stream.seek(0)
        array: NDArray[np.generic] = np.load(stream, allow_pickle=False)
    except DAMAGED_ARRAY as error:
        raise EncodingError(f"its .npy file cannot be read: {str(error)[:200]}") from error
    return array


def _read_header(stream: io.BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(stream)
    else:
        shape, _, dtype = npy.read_array_header_2_0(stream)
    return shape, dtype


def _read(item: Item) -> Value:
    try:
        if isinstance(item, bytes):
            return _check(read_npy(item))
        if isinstance(item, str) or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in item):
            return Unreadable("its vector holds something that is no number")
        return _check(np.asarray(item, dtype=np.float64))
    except EncodingError as error:
        return Unreadable(str(error))
    except OverflowError:
        return Unreadable("its vector holds a number that is too large")


def _check(array: NDArray[np.generic]) -> Value:
    vector = array[0] if array.ndim == 2 and array.shape[0] == 1 else array
    if vector.ndim != 1 or not 2 <= vector.size <= MAX_DIMENSION:
        return Unreadable(f"its vector has shape {array.shape}; expected (D,) with D in 2..{MAX_DIMENSION:,}")
    if vector.dtype.kind not in "fiu":
        return Unreadable(f"its vector is of type {vector.dtype}, not of numbers")
    with np.errstate(over="ignore"):
        converted = vector.astype(np.float32)
    if not np.isfinite(converted).all():
        return Unreadable("its vector holds NaN or infinity")
    return converted
