"""What every encoder offers, and the options they are built from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.cache import Array
from ml_backend.data.records import Unreadable
from ml_backend.data.source import SourceKind

Item = str | bytes | list[object]
"""Text; the bytes of a picture or .npy file; or a list of numbers."""
Content = Item | Unreadable
Value = Array | Unreadable


class Encoder(Protocol):
    """Turns items into arrays of one dtype.

    name: stable identity of what it computes; part of model versions and of cache keys.
    kind: what it reads. batch: items per call that its owner should hand over (and remember) at once.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> SourceKind: ...

    @property
    def batch(self) -> int: ...

    def encode(self, items: Sequence[Item]) -> list[Value]:
        """One value per item, in order: (D,) float32, finite, or (C, H, W) uint8; Unreadable for an item that cannot be
        encoded.

        Raises ConfigError or EncoderUnavailable when it cannot encode anything.
        """
        ...

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        """The value in another shape, where that makes sense; else Unreadable."""
        ...


@dataclass(frozen=True, kw_only=True)
class EncoderOptions:
    """Settings of encoders that need any. sleep is replaced in tests."""

    embeddings_url: str | None = None
    """Base address of an OpenAI-compatible API, such as http://localhost:11434/v1."""
    embeddings_api_key: str | None = field(default=None, repr=False)
    batch_size: int = 128
    """Texts per request to an embedding service."""
    timeout_seconds: float = 60.0
    """Of one request to an embedding service."""
    max_attempts: int = 5
    """Tries of one request before the service counts as down."""
    max_wait_seconds: float = 60.0
    """Longest wait between two tries, whatever the service asks for."""
    device: str = "auto"
    """Where sentence-transformers runs: auto, cpu, cuda or cuda:N."""
    sleep: Callable[[float], None] = time.sleep


def finite_vectors(vectors: NDArray[np.floating], *, normalise: bool) -> list[Value]:
    """(n, D) -> one float32 row per item; a row with NaN, infinity or (normalising) length 0 becomes Unreadable."""
    rows = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    usable = np.isfinite(lengths[:, 0]) & ((lengths[:, 0] > 0) | (not normalise))
    if normalise:
        rows = rows / np.where(usable[:, None], lengths, 1.0)
    result = rows.astype(np.float32)
    return [
        row if ok else Unreadable("the encoder finds no words in it") for row, ok in zip(result, usable, strict=True)
    ]


def other_dimension(value: Array, shape: tuple[int, ...]) -> Unreadable:
    """A vector cannot take another dimension."""
    return Unreadable(f"its vector has {value.size:,} numbers, the project's vectors have {int(np.prod(shape)):,}")
