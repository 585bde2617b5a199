"""Content hash -> encoding, in a SQLite file of its own, so that the same input is never encoded twice.

Losing this file costs time, never data: WAL with synchronous=NORMAL. Several processes may read and write it at once. A
file that is damaged or of another layout is set aside and begun anew.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_backend.errors import StoreError

Array = NDArray[np.float32] | NDArray[np.uint8]

LAYOUT = 1
"""Written to PRAGMA user_version; raise it when the table or the blob changes."""
BUSY_SECONDS = 30.0
"""How long a writer waits for another process's write."""
RETRY_SECONDS = 0.02
PRIMARY_CODE = 0xFF
"""The bits of SQLite's extended error codes that hold the plain one."""
_KEYS_PER_QUERY = 500
_ROWS_PER_DELETE = 5_000
"""In one transaction: whoever wants to write meanwhile waits for its end."""
_PAGE_BYTES = 8192
"""Holds five vectors of 384 numbers."""
_DTYPES: dict[str, np.dtype[Any]] = {"f": np.dtype("<f4"), "u": np.dtype("u1")}

# Values are appended in order of arrival; only the small index is in random order, so large caches stay dense and fast.
_SCHEMA = (
    "CREATE TABLE encoder (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE encoding (id INTEGER PRIMARY KEY, encoder INTEGER NOT NULL, digest BLOB NOT NULL,"
    " kind TEXT NOT NULL, shape TEXT NOT NULL, value BLOB NOT NULL)",
    "CREATE UNIQUE INDEX encoding_key ON encoding (encoder, digest)",
)
_ENCODER_ID = "(SELECT id FROM encoder WHERE name = ?)"


class EmbeddingCache:
    """Encodings by (encoder name, content digest). Arrays are float32 or uint8 of any shape; others are refused.

    Safe for threads (one connection each) and for processes. Raises StoreError when the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # of pictures, the encodings are the pictures
            self._prepare()
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreError(
                f"the embedding cache {path} cannot be opened ({error}): set LANTERN_HOME to a folder that this user "
                "can write"
            ) from error

    def get_many(self, encoder_name: str, digests: Iterable[bytes]) -> dict[bytes, Array]:
        """The encodings that are known, by digest."""
        found: dict[bytes, Array] = {}
        with self._connection() as connection:
            for keys in _chunks(digests, _KEYS_PER_QUERY):
                marks = ",".join("?" * len(keys))
                where = f"encoder = {_ENCODER_ID} AND digest IN ({marks})"
                query = f"SELECT digest, kind, shape, value FROM encoding WHERE {where}"
                for digest, kind, shape, value in connection.execute(query, (encoder_name, *keys)):
                    found[digest] = _decode(kind, shape, value)
        return found

    def put_many(self, encoder_name: str, encodings: Mapping[bytes, Array]) -> None:
        """Remembers encodings, in one transaction. A digest that is known keeps its first value."""
        rows = [(encoder_name, digest, *_encode(value)) for digest, value in encodings.items()]
        if not rows:
            return
        with self._connection() as connection, _immediate(connection):
            connection.execute("INSERT OR IGNORE INTO encoder (name) VALUES (?)", (encoder_name,))
            connection.executemany(
                "INSERT OR IGNORE INTO encoding (encoder, digest, kind, shape, value) "
                f"VALUES ({_ENCODER_ID}, ?, ?, ?, ?)",
                rows,
            )

    def encoders(self) -> list[str]:
        """Names of the encoders with encodings here."""
        with self._connection() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM encoder ORDER BY name")]

    def forget(self, encoder_name: str) -> int:
        """Drops all encodings of an encoder; how many there were."""
        dropped = self._drop(f"WHERE encoder = {_ENCODER_ID}", encoder_name)
        with self._connection() as connection, _immediate(connection):
            connection.execute(
                "DELETE FROM encoder WHERE name = ? AND NOT EXISTS (SELECT 1 FROM encoding WHERE encoder = encoder.id)",
                (encoder_name,),
            )
        return dropped

    def trim(self, most_bytes: int) -> int:
        """Drops the encodings that came first until the others fit; how many. The file keeps its size: what is free in
        it is filled before it grows.
        """
        return self._drop("ORDER BY id", until=lambda: self._used_bytes() <= most_bytes)

    def _drop(self, which: str, *values: object, until: Callable[[], bool] = lambda: False) -> int:
        total, part = 0, _ROWS_PER_DELETE
        chosen = f"SELECT id FROM encoding {which} LIMIT {_ROWS_PER_DELETE}"
        while part == _ROWS_PER_DELETE and not until():
            with self._connection() as connection, _immediate(connection):
                part = connection.execute(f"DELETE FROM encoding WHERE id IN ({chosen})", values).rowcount
            total += part
        return total

    def _used_bytes(self) -> int:
        with self._connection() as connection:
            pages, free, size = (
                connection.execute(f"PRAGMA {what}").fetchone()[0]
                for what in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def close(self) -> None:
        """Closes this thread's connection; another call opens it again."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _prepare(self) -> None:
        try:
            layout = self._create()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            layout = -1
        if layout != LAYOUT:
            self._set_aside()
            self._create()

    def _create(self) -> int:
        """Makes the table in an empty file; the layout that the file has now."""
        with closing(_connect(self._path)) as connection:
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            _use_wal(connection)
            with _immediate(connection):
                layout: int = connection.execute("PRAGMA user_version").fetchone()[0]
                if layout == 0:
                    for statement in _SCHEMA:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {LAYOUT}")
                    layout = LAYOUT
        return layout

    def _set_aside(self) -> None:
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._path.replace(self._path.with_name(self._path.name + ".damaged"))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = self._local.connection = _connect(self._path)
            yield connection
        except sqlite3.Error as error:
            raise StoreError(
                f"the embedding cache {self._path} failed: {error}; it may be deleted, it is rebuilt"
            ) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for another process here, which may be creating the same file: try again."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


@contextmanager
def _immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """A write transaction that takes the lock at once, so that it waits for others instead of failing half-way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _chunks(items: Iterable[bytes], size: int) -> Iterator[Sequence[bytes]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _encode(value: Array) -> tuple[str, str, bytes]:
    kind = {np.dtype(np.float32): "f", np.dtype(np.uint8): "u"}.get(value.dtype)
    if kind is None:
        raise StoreError(f"the embedding cache holds float32 and uint8 arrays, not {value.dtype}")
    return kind, ",".join(map(str, value.shape)), np.ascontiguousarray(value, dtype=_DTYPES[kind]).tobytes()


def _decode(kind: str, shape: str, value: bytes) -> Array:
    array: Array = np.frombuffer(value, dtype=_DTYPES[kind]).reshape([int(n) for n in shape.split(",")])
    return array
