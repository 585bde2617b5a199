"""Records -> one array, batch by batch: read, look up, fetch, encode, remember. A bad record stops no other."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np

from ml_backend.data.cache import Array, EmbeddingCache
from ml_backend.data.encoders.base import Content, Encoder, Value
from ml_backend.data.media import Fetcher, fetch_media
from ml_backend.data.records import Record, Unreadable
from ml_backend.data.source import Reference, Source, SourceKind, clean_text, looks_like_html, read_item
from ml_backend.errors import MediaError

log = logging.getLogger(__name__)

MAX_TEXT_BYTES = 1_000_000
"""Only this much of a text that lies at an address is read."""
FETCH_THREADS = 8
"""Downloads at a time."""

_INLINE = b"#"
"""First byte of the keys of content that is neither looked up nor remembered."""

Read = TypeVar("Read")
Progress = Callable[[int, int], None]
"""Called with (records done, records in all) after each batch. What it raises passes through; finished batches stay in
the cache.
"""


@dataclass(frozen=True)
class Encoded:
    """x: (n, D) float32 vectors or (n, C, H, W) uint8 pictures, row i of the record at position kept[i]; (0, 0) if none
    was readable.

    unreadable: position -> reason, of all other records.
    """

    x: Array
    kept: list[int]
    unreadable: dict[int, str]


def encode_records(
    encoder: Encoder,
    source: Source,
    records: Sequence[Record],
    *,
    cache: EmbeddingCache | None,
    fetch: Fetcher | None,
    progress: Progress | None = None,
    expected_shape: tuple[int, ...] | None = None,
) -> Encoded:
    """Encodes records in order. The same content is encoded once, within the call and (with a cache) across calls and
    processes.

    fetch: how addresses are downloaded; None reads inline content (text, lists, data: addresses) only. expected_shape:
    shape of a row in the pool that these records join, (D,) or (C, H, W); None takes what most of the first have. A
    vector of another dimension is unreadable, a picture of another shape is fitted. An address is taken to keep its
    content. Raises ConfigError or EncoderUnavailable when the encoder itself cannot work.
    """
    run = _Run(encoder, source, cache, fetch, len(records), expected_shape)
    for start in range(0, len(records), encoder.batch):
        batch = records[start : start + encoder.batch]
        run.add_batch(batch, start)
        if progress:
            progress(start + len(batch), len(records))
    return run.finish()


@dataclass
class _Run:
    """One call of encode_records: the rows so far, and how the next batch gets its values."""

    encoder: Encoder
    source: Source
    cache: EmbeddingCache | None
    fetch: Fetcher | None
    total: int
    shape: tuple[int, ...] | None
    x: Array | None = None
    kept: list[int] = field(default_factory=list)
    unreadable: dict[int, Unreadable] = field(default_factory=dict)
    seen: dict[bytes, int] = field(default_factory=dict)
    """Content key -> row of x."""

    def add_batch(self, batch: Sequence[Record], start: int) -> None:
        items = [_attempt(partial(read_item, self.source, record)) for record in batch]
        keys = [_key(item, start + offset) for offset, item in enumerate(items)]
        values = self._values(dict(zip(keys, items, strict=True)))
        self._settle_shape([values[key] for key in keys])
        for offset, key in enumerate(keys):
            self._add(start + offset, key, values[key])

    def finish(self) -> Encoded:
        x: Array = np.empty((0, 0), dtype=np.float32) if self.x is None else self.x[: len(self.kept)]
        return Encoded(x, self.kept, {position: value.reason for position, value in self.unreadable.items()})

    def _values(self, items: dict[bytes, Content | Reference]) -> dict[bytes, Value]:
        """The encoding of each item, by its key: seen in this call, remembered by the cache, or made now."""
        values: dict[bytes, Value] = dict(self._look_up(items))
        contents = self._contents({key: item for key, item in items.items() if key not in values})
        inner = {key: key if items[key] is content else _key(content, key) for key, content in contents.items()}
        fresh = {inner[key]: content for key, content in contents.items()}
        known: dict[bytes, Value] = dict(self._look_up(key for key in fresh if key not in contents))
        known |= self._encode({key: content for key, content in fresh.items() if key not in known})
        values |= {key: known[inner[key]] for key in contents}
        self._remember({**known, **values}, already=set(items) - set(contents))
        return values

    def _look_up(self, keys: Iterable[bytes]) -> dict[bytes, Array]:
        wanted = [key for key in keys if key[:1] != _INLINE]
        found = {key: self.x[self.seen[key]] for key in wanted if key in self.seen and self.x is not None}
        if self.cache:
            found |= self.cache.get_many(self.encoder.name, [key for key in wanted if key not in found])
        return found

    def _contents(self, items: dict[bytes, Content | Reference]) -> dict[bytes, Content]:
        """Items with references replaced by what they point to."""
        references = {key: item.address for key, item in items.items() if isinstance(item, Reference)}
        contents: dict[bytes, Content] = {key: item for key, item in items.items() if not isinstance(item, Reference)}
        if references:
            with ThreadPoolExecutor(min(FETCH_THREADS, len(references))) as pool:
                reads = (partial(_fetch, address, self.fetch, self.source.kind) for address in references.values())
                fetched = pool.map(_attempt, reads)
                contents |= dict(zip(references, fetched, strict=True))
        return contents

    def _encode(self, contents: dict[bytes, Content]) -> dict[bytes, Value]:
        values: dict[bytes, Value] = {key: item for key, item in contents.items() if isinstance(item, Unreadable)}
        todo = {key: item for key, item in contents.items() if not isinstance(item, Unreadable)}
        if todo:
            values |= dict(zip(todo, self.encoder.encode(list(todo.values())), strict=True))
        return values

    def _remember(self, values: dict[bytes, Value], already: set[bytes]) -> None:
        if self.cache:
            new = {
                k: v
                for k, v in values.items()
                if k not in already and k[:1] != _INLINE and not isinstance(v, Unreadable)
            }
            self.cache.put_many(self.encoder.name, new)

    def _settle_shape(self, values: Iterable[Value]) -> None:
        shapes = Counter(value.shape for value in values if not isinstance(value, Unreadable))
        if self.shape is None and shapes:
            self.shape = shapes.most_common(1)[0][0]

    def _add(self, position: int, key: bytes, value: Value) -> None:
        if not isinstance(value, Unreadable) and self.shape is not None and value.shape != self.shape:
            value = self.encoder.conform(value, self.shape)
        if isinstance(value, Unreadable):
            self.unreadable[position] = value
            return
        if self.x is None:
            self.x = np.empty((self.total, *value.shape), dtype=value.dtype)
        self.x[len(self.kept)] = value
        self.seen[key] = len(self.kept)
        self.kept.append(position)


def _key(item: Content | Reference, unique: int | bytes) -> bytes:
    """Content key: what is not worth hashing (a list of numbers, a failure) gets a key of its own that is never looked
    up.
    """
    if isinstance(item, str):
        return b"t" + _digest(item.encode("utf-8", "surrogatepass"))
    if isinstance(item, Reference):
        return b"r" + _digest(item.address.encode("utf-8", "surrogatepass"))
    if isinstance(item, bytes):
        return b"b" + _digest(item)
    return _INLINE + (unique if isinstance(unique, bytes) else str(unique).encode())


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _fetch(address: str, fetch: Fetcher | None, kind: SourceKind) -> Content:
    try:
        content = fetch_media(address, fetch)
    except MediaError as error:
        return Unreadable(str(error))
    return _text_of(content) if kind == "text" else content


def _attempt(read: Callable[[], Read]) -> Read | Unreadable:
    """What one task holds, of which nobody has thought, stops no other task."""
    try:
        return read()
    except Exception:
        log.exception("a task cannot be read")
        return Unreadable("it cannot be read: the server's log says why")


def _text_of(content: bytes) -> str | Unreadable:
    text = clean_text(content[:MAX_TEXT_BYTES].decode("utf-8", "replace"), is_html=looks_like_html(content))
    return text or Unreadable("the text at its address is empty")
