"""Sentence encoders of the sentence-transformers package, an extra: better than the default, much slower on a CPU."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ml_backend.data.cache import Array
from ml_backend.data.encoders.base import Item, Value, finite_vectors, other_dimension
from ml_backend.data.source import SourceKind
from ml_backend.errors import ConfigError

INSTALL = 'pip install "lantern-ml-backend[sentence-transformers]"'


class SentenceTransformersEncoder:
    """A model by its hub name or by a local folder; L2-normalised. Loads at its first use."""

    kind: SourceKind = "text"
    batch = 256

    def __init__(self, model: str, *, device: str = "auto") -> None:
        self.name = f"sentence-transformers:{model}"
        self._model_name = model
        self._device = device
        self._model: Any = None
        self._loading = threading.Lock()

    def encode(self, items: Sequence[Item]) -> list[Value]:
        """Items: texts. Raises ConfigError if the package or the model is missing."""
        vectors = self._load().encode(
            [str(item) for item in items], batch_size=32, convert_to_numpy=True, show_progress_bar=False
        )
        return finite_vectors(np.asarray(vectors), normalise=True)

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        """A vector of another dimension means another model."""
        return other_dimension(value, shape)

    def _load(self) -> Any:
        with self._loading:
            if self._model is None:
                self._model = _open(self._model_name, self._device)
            return self._model


def _open(model: str, device: str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ConfigError(
            f"encoder sentence-transformers:{model} needs a package that is not installed: {INSTALL}"
        ) from error
    try:
        return SentenceTransformer(model, device=None if device == "auto" else device)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ConfigError(
            f"the sentence-transformers model {model!r} cannot be loaded ({reason}): "
            "give a hub name with network, or a local folder"
        ) from error
