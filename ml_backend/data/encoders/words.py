"""The default text encoder: static word embeddings that ship inside the wordllama wheel, so it works offline and is
fast.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from ml_backend.data.cache import Array
from ml_backend.data.encoders.base import Item, Value, finite_vectors, other_dimension
from ml_backend.data.records import Unreadable
from ml_backend.data.source import SourceKind
from ml_backend.data.variable_parts import without_variable_parts

DIMENSION = 256
_PADDED_CHARACTERS = 64 * 1024
"""Characters in one sub-batch, padding counted: bounds memory, as wordllama pads all texts to the longest."""

_loading = threading.Lock()


class WordLlamaEncoder:
    """Mean of the static vectors of a text's tokens, (256,) float32, L2-normalised; see `without_variable_parts`."""

    name = f"wordllama{DIMENSION}-3"
    """Ends in a version: vectors of another one must not be mixed with these."""
    kind: SourceKind = "text"
    batch = 512

    def encode(self, items: Sequence[Item]) -> list[Value]:
        """Items: texts. A text without a known token (blanks, control characters) is Unreadable."""
        values: list[Value] = [Unreadable("it is no text")] * len(items)
        texts = [
            (i, without_variable_parts(item)) for i, item in enumerate(items) if isinstance(item, str) and item.strip()
        ]
        texts.sort(key=lambda pair: len(pair[1]))
        for group in _groups(texts):
            vectors = _model().embed([text for _, text in group], norm=False, batch_size=len(group))
            for (i, _), value in zip(group, finite_vectors(vectors, normalise=True), strict=True):
                values[i] = value
        return values

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        """A vector of another dimension means another encoder."""
        return other_dimension(value, shape)


def _groups(texts: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Texts sorted by length -> runs whose padded size stays bounded."""
    group: list[tuple[int, str]] = []
    for pair in texts:
        if group and (len(group) + 1) * len(pair[1]) > _PADDED_CHARACTERS:
            yield group
            group = []
        group.append(pair)
    if group:
        yield group


def _model() -> Any:
    with _loading:
        return _load()


@lru_cache(maxsize=1)
def _load() -> Any:
    with _logging_kept():
        import wordllama

    # Its own look-up misses the folder `tokenizers` of the wheel; naming the package as the cache folder finds it.
    return wordllama.WordLlama.load(dim=DIMENSION, cache_dir=Path(wordllama.__file__).parent, disable_download=True)


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Importing wordllama calls logging.basicConfig, which a library must not: undo what it did to the root logger."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
