"""The default text encoder: static word embeddings that ship inside the wordllama wheel, so it works offline and is
fast.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
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

_MARKS = r""":=,;()\[\]{}<>"：，；。、！？（）「」『』【】《》“”"""
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, kana and Han, which are written without blanks between the words."""

_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_WORD = re.compile(rf"[{_MARKS}]+|[{_UNSPACED}]+|[^\s{_MARKS}{_UNSPACED}]+")
"""What stands between blanks and marks, or marks that stand together: `tag="launch",` is tag, =", launch and ",."""

_GROUP_CHARACTERS = 200_000
"""Of texts whose words' vectors exist at a time: 1 KB for each different word."""

_loading = threading.Lock()


class WordLlamaEncoder:
    """Mean of the static vectors of a text's words, (256,) float32, L2-normalised; see `without_variable_parts`.

    The vector of a word of n pieces is their sum / sqrt(n), about as long as that of one piece where they differ. A
    mean over all pieces lets long names speak for the text: com.apple.icloud.fmfd.heartbeat has twelve. Where words are
    written without blanks, each piece counts as one.
    """

    name = f"wordllama{DIMENSION}-5"
    """Ends in a version: vectors of another one must not be mixed with these."""
    kind: SourceKind = "text"
    batch = 512

    def encode(self, items: Sequence[Item]) -> list[Value]:
        """Items: texts. A text without a known token (blanks, for one) is Unreadable."""
        values: list[Value] = [Unreadable("it is no text")] * len(items)
        texts = {
            i: _WORD.findall(without_variable_parts(item))
            for i, item in enumerate(items)
            if isinstance(item, str) and item.strip()
        }
        for group in _groups(texts):
            vectors = _word_vectors(list({word for i in group for word in texts[i]}))
            sums = np.stack([np.sum([vectors[word] for word in texts[i]], axis=0) for i in group])
            for i, value in zip(group, finite_vectors(sums, normalise=True), strict=True):
                values[i] = value
        return values

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        """A vector of another dimension means another encoder."""
        return other_dimension(value, shape)


def _groups(texts: Mapping[int, Sequence[str]]) -> Iterator[list[int]]:
    """Texts as their words -> runs of a bounded number of characters."""
    group: list[int] = []
    characters = 0
    for i, words in texts.items():
        size = sum(map(len, words))
        if group and characters + size > _GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
        group.append(i)
        characters += size
    if group:
        yield group


def _word_vectors(words: list[str]) -> dict[str, NDArray[np.float32]]:
    """(256,) each; the same to the last digit whatever else is encoded beside, so that copies of a text are equal."""
    model = _model()
    pieces = [encoding.ids for encoding in model.tokenize(words)]
    vectors = {}
    for word, ids in zip(words, pieces, strict=True):
        count = 1 if _IS_UNSPACED.match(word) else max(len(ids), 1)
        vectors[word] = model.embedding[ids].sum(axis=0) / count**0.5
    return vectors


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
