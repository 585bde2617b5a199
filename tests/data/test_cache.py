"""The embedding cache: what goes in comes out, also from several threads and processes, and after damage."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.data import cache as cache_module
from ml_backend.data.cache import EmbeddingCache
from ml_backend.errors import StoreError


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[EmbeddingCache]:
    cache = EmbeddingCache(tmp_path / "sub" / "embeddings.db")
    yield cache
    cache.close()


def digest(i: int) -> bytes:
    return i.to_bytes(16, "big")


def vectors(n: int, dimension: int = 8) -> dict[bytes, NDArray[np.float32]]:
    return {digest(i): np.full(dimension, i, dtype=np.float32) for i in range(n)}


def test_vectors_and_pictures_come_back_bit_for_bit(cache: EmbeddingCache) -> None:
    generator = np.random.default_rng(0)
    vector = generator.normal(size=384).astype(np.float32)
    picture = generator.integers(0, 256, (3, 5, 7), dtype=np.uint8)
    cache.put_many("e", {b"v": vector, b"p": picture})
    found = cache.get_many("e", [b"v", b"p", b"missing"])
    assert set(found) == {b"v", b"p"}
    np.testing.assert_array_equal(found[b"v"], vector)
    np.testing.assert_array_equal(found[b"p"], picture)
    assert (found[b"v"].dtype, found[b"p"].dtype) == (np.dtype(np.float32), np.dtype(np.uint8))


def test_more_keys_than_one_query_holds(cache: EmbeddingCache) -> None:
    cache.put_many("e", vectors(1300))
    found = cache.get_many("e", map(digest, range(2000)))
    assert len(found) == 1300
    assert all(found[digest(i)][0] == i for i in range(1300))


def test_encoders_do_not_share_and_forget_is_for_one(cache: EmbeddingCache) -> None:
    cache.put_many("a", vectors(3))
    cache.put_many("b", vectors(2))
    assert cache.get_many("c", [digest(0)]) == {}
    assert cache.forget("a") == 3
    assert cache.get_many("a", [digest(0)]) == {}
    assert len(cache.get_many("b", [digest(0), digest(1)])) == 2


def test_a_forgotten_encoder_is_gone_however_much_it_had(
    cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_ROWS_PER_DELETE", 4)
    cache.put_many("a", vectors(10))
    cache.put_many("b", vectors(1))
    assert cache.encoders() == ["a", "b"]
    assert cache.forget("a") == 10
    assert cache.encoders() == ["b"]
    cache.put_many("a", vectors(2))
    assert set(cache.get_many("a", map(digest, range(10)))) == {digest(0), digest(1)}


def test_what_came_first_goes_when_it_is_too_much(cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_ROWS_PER_DELETE", 10)
    for i in range(100):
        cache.put_many("ab"[i % 2], {digest(i): np.full(2_000, i, dtype=np.float32)})
    assert cache.trim(10_000_000) == 0
    dropped = cache.trim(500_000)
    kept = {key for name in "ab" for key in cache.get_many(name, map(digest, range(100)))}
    assert kept == {digest(i) for i in range(dropped, 100)}
    assert 30 <= len(kept) <= 62, "8 kB each"
    assert cache.trim(500_000) == 0


def test_room_that_was_freed_is_filled_before_the_file_grows(cache: EmbeddingCache, tmp_path: Path) -> None:
    path = tmp_path / "sub" / "embeddings.db"
    cache.put_many("e", {digest(i): np.full(2_000, i, dtype=np.float32) for i in range(100)})
    cache.close()  # what is in the log is in the file now
    before = path.stat().st_size
    cache.trim(0)
    cache.put_many("e", {digest(i): np.full(2_000, i, dtype=np.float32) for i in range(100, 190)})
    cache.close()
    assert path.stat().st_size <= before


def test_the_first_value_stays(cache: EmbeddingCache) -> None:
    cache.put_many("e", {b"k": np.zeros(2, dtype=np.float32)})
    cache.put_many("e", {b"k": np.ones(2, dtype=np.float32)})
    np.testing.assert_array_equal(cache.get_many("e", [b"k"])[b"k"], 0)


def test_other_types_are_refused(cache: EmbeddingCache) -> None:
    with pytest.raises(StoreError, match="float64"):
        cache.put_many("e", {b"k": np.asarray([0.0, 0.0])})
    assert cache.get_many("e", [b"k"]) == {}


def test_it_is_durable_enough_and_does_not_block_readers(cache: EmbeddingCache, tmp_path: Path) -> None:
    cache.put_many("e", vectors(1))
    with sqlite3.connect(tmp_path / "sub" / "embeddings.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_threads_share_one_object(cache: EmbeddingCache) -> None:
    def work(i: int) -> int:
        cache.put_many("e", {digest(i): np.full(4, i, dtype=np.float32)})
        found = int(cache.get_many("e", [digest(i)])[digest(i)][0])
        cache.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(64))) == list(range(64))


def _write(path: Path, first: int, n: int) -> None:
    cache = EmbeddingCache(path)
    for i in range(first, first + n):
        cache.put_many("e", {digest(i): np.full(4, i, dtype=np.float32)})
        assert digest(i) in cache.get_many("e", [digest(i)])
    cache.close()


def test_processes_create_and_write_it_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(path, first, 150)) for first in (0, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(EmbeddingCache(path).get_many("e", map(digest, range(250)))) == 250


@pytest.mark.parametrize(
    "content",
    [b"this is no database, but long enough to be mistaken for one" * 40, b"SQLite format 3\0" + b"\xff" * 4000],
)
def test_a_damaged_file_is_set_aside_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(content)
    cache = EmbeddingCache(path)
    cache.put_many("e", vectors(2))
    assert len(cache.get_many("e", [digest(0), digest(1)])) == 2
    assert (tmp_path / "cache.db.damaged").read_bytes() == content


def test_a_file_of_another_layout_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("CREATE TABLE encoding (other TEXT)")
    connection.close()
    assert EmbeddingCache(path).get_many("e", [digest(0)]) == {}


def test_a_folder_that_cannot_be_used_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be opened"):
        EmbeddingCache(tmp_path / "file" / "cache.db")
    (tmp_path / "dir.db").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        EmbeddingCache(tmp_path / "dir.db")
