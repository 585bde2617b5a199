"""The default text encoder: static word embeddings that ship inside the wordllama wheel, so it works offline and is
fast.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.cache import Array
from ml_backend.data.encoders.base import Item, Value, finite_vectors, other_dimension
from ml_backend.data.records import Unreadable
from ml_backend.data.source import SourceKind
from ml_backend.data.variable_parts import without_variable_parts

DIMENSION = 256

_WORD = re.compile(r"""[^\s:=,;()\[\]{}<>"]+|[:=,;()\[\]{}<>"]+""")
"""What stands between blanks and marks, or marks that stand together: `tag="launch",` is tag, =", launch and ",."""

_loading = threading.Lock()


class WordLlamaEncoder:
    """Mean of the static vectors of a text's words, (256,) float32, L2-normalised; see `without_variable_parts`.

    The vector of a word of n pieces is their sum / sqrt(n), about as long as that of one piece. A mean over all pieces
    lets long names speak for the text: com.apple.icloud.fmfd.heartbeat has twelve.
    """

    name = f"wordllama{DIMENSION}-4"
    """Ends in a version: vectors of another one must not be mixed with these."""
    kind: SourceKind = "text"
    batch = 512

    def encode(self, items: Sequence[Item]) -> list[Value]:
        """Items: texts. A text without a known token (blanks, control characters) is Unreadable."""
        values: list[Value] = [Unreadable("it is no text")] * len(items)
        texts = {
            i: _WORD.findall(without_variable_parts(item))
            for i, item in enumerate(items)
            if isinstance(item, str) and item.strip()
        }
        vectors = _word_vectors(list({word for words in texts.values() for word in words}))
        sums = [np.sum([vectors[word] for word in words], axis=0) for words in texts.values()]
        if sums:
            for i, value in zip(texts, finite_vectors(np.stack(sums), normalise=True), strict=True):
                values[i] = value
        return values

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        """A vector of another dimension means another encoder."""
        return other_dimension(value, shape)


def _word_vectors(words: list[str]) -> dict[str, NDArray[np.float32]]:
    """(256,) each; the same to the last digit whatever else is encoded beside, so that copies of a text are equal."""
    model = _model()
    pieces = [encoding.ids for encoding in model.tokenize(words)]
    sums = [model.embedding[ids].sum(axis=0) / max(len(ids), 1) ** 0.5 for ids in pieces]
    return dict(zip(words, sums, strict=True))


def _model() -> Any:
    with _loading:
        return _load()


@lru_cache(maxsize=1)
def _load() -> Any:
    with _logging_kept():
        import wordllama

    # Its own look-up misses the folder `tokenizers` of the wheel; naming the package as the cache folder finds it.
    model = wordllama.WordLlama.load(dim=DIMENSION, cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    model.tokenizer.no_padding()
    return model


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
