"""Records to arrays: nothing is encoded twice, and no bad record stops another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.data import encoding
from ml_backend.data.cache import Array, EmbeddingCache
from ml_backend.data.encoders import build_encoder
from ml_backend.data.encoders.base import Item, Value, other_dimension
from ml_backend.data.encoding import Encoded, encode_records
from ml_backend.data.label_config import TaskInput
from ml_backend.data.pictures import to_data_uri, to_png
from ml_backend.data.records import Record, Unreadable
from ml_backend.data.source import Source, SourceKind
from ml_backend.errors import EncoderUnavailable, MediaError


class CountingEncoder:
    """(length, first byte) of a text; knows what it was asked. "bad..." is Unreadable, "down" breaks the service."""

    name = "counting"
    kind: SourceKind = "text"

    def __init__(self, batch: int = 4) -> None:
        self.batch = batch
        self.asked: list[str] = []

    def encode(self, items: Sequence[Item]) -> list[Value]:
        texts = [str(item) for item in items]
        if "down" in texts:
            raise EncoderUnavailable("the service is down")
        self.asked += texts
        return [Unreadable("bad") if text.startswith("bad") else vector(text) for text in texts]

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        return other_dimension(value, shape)


def vector(text: str) -> NDArray[np.float32]:
    return np.array([len(text), text.encode()[0]], dtype=np.float32)


def source(kind: SourceKind, field: str = "f", *, by_url: bool = False) -> Source:
    return Source("spec", kind, (TaskInput(field, kind, field, by_url),))


def records(*values: object) -> list[Record]:
    return [Record(i, {"f": value}) for i, value in enumerate(values)]


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache.db")


def encode(encoder: CountingEncoder, values: Sequence[object], cache: EmbeddingCache | None) -> Encoded:
    return encode_records(encoder, source("text"), records(*values), cache=cache, fetch=None)


def test_rows_are_in_order_and_know_their_record(cache: EmbeddingCache) -> None:
    texts = ["bb", "", "a", "bad one", "ccc", None, "a", "dddd", "bad one", "eeeee"]
    encoded = encode(CountingEncoder(), texts, cache)
    assert encoded.kept == [0, 2, 4, 6, 7, 9]
    np.testing.assert_array_equal(encoded.x, [vector(str(texts[i])) for i in encoded.kept])
    assert encoded.x.dtype == np.float32
    assert set(encoded.unreadable) == {1, 3, 5, 8}
    assert encoded.unreadable[3] == "bad"
    assert "'f'" in encoded.unreadable[1]


@pytest.mark.parametrize("with_cache", [True, False])
def test_the_same_text_is_encoded_once_within_a_call(cache: EmbeddingCache, with_cache: bool) -> None:
    encoder = CountingEncoder(batch=3)
    texts = ["a", "b", "a", "b", "c", "a", "d", "a", "c"]
    encoded = encode(encoder, texts, cache if with_cache else None)
    assert encoder.asked == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(encoded.x, [vector(text) for text in texts])


def test_the_same_text_is_encoded_once_across_calls_and_objects(cache: EmbeddingCache, tmp_path: Path) -> None:
    encode(CountingEncoder(), ["a", "b"], cache)
    later = CountingEncoder()
    encoded = encode(later, ["b", "c", "a"], EmbeddingCache(tmp_path / "cache.db"))
    assert later.asked == ["c"]
    np.testing.assert_array_equal(encoded.x, [vector(text) for text in "bca"])


def test_failures_are_not_remembered(cache: EmbeddingCache) -> None:
    encoder = CountingEncoder()
    encode(encoder, ["bad"], cache)
    encode(encoder, ["bad"], cache)
    assert encoder.asked == ["bad", "bad"]


def test_what_was_encoded_before_a_service_broke_is_kept(cache: EmbeddingCache) -> None:
    encoder = CountingEncoder(batch=2)
    with pytest.raises(EncoderUnavailable):
        encode(encoder, ["a", "b", "c", "down"], cache)
    again = CountingEncoder(batch=2)
    encode(again, ["a", "b", "c", "d"], cache)
    assert again.asked == ["c", "d"]


def test_progress_counts_records_and_may_stop_the_work(cache: EmbeddingCache) -> None:
    seen: list[tuple[int, int]] = []
    encode_records(
        CountingEncoder(batch=2),
        source("text"),
        records("a", "", "b"),
        cache=cache,
        fetch=None,
        progress=lambda *p: seen.append(p),
    )
    assert seen == [(2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    encoder = CountingEncoder(batch=1)
    with pytest.raises(InterruptedError):
        encode_records(encoder, source("text"), records("x", "y"), cache=cache, fetch=None, progress=stop)
    assert encoder.asked == ["x"]


def test_no_records_and_only_bad_records_give_no_rows(cache: EmbeddingCache) -> None:
    assert encode(CountingEncoder(), [], cache).x.shape == (0, 0)
    none = encode(CountingEncoder(), ["", "bad"], cache)
    assert none.x.shape == (0, 0)
    assert none.kept == []
    assert set(none.unreadable) == {0, 1}


def test_vectors_of_another_dimension_than_most_are_left_out() -> None:
    values = [[1.0, 2.0], [1.0, 2.0, 3.0], [3.0, 4.0, 5.0], [1.0, float("nan"), 2.0], "[6, 7, 8]", {"no": 1}]
    encoded = encode_records(build_encoder("vector"), source("vector"), records(*values), cache=None, fetch=None)
    assert encoded.kept == [1, 2, 4]
    np.testing.assert_array_equal(encoded.x, [[1, 2, 3], [3, 4, 5], [6, 7, 8]])
    assert encoded.unreadable[0] == "its vector has 2 numbers, the project's vectors have 3"
    assert "NaN" in encoded.unreadable[3]


def test_new_records_must_fit_the_pool_they_join() -> None:
    encoded = encode_records(
        build_encoder("vector"),
        source("vector"),
        records([1.0, 2.0], [1.0, 2.0, 3.0]),
        cache=None,
        fetch=None,
        expected_shape=(3,),
    )
    assert encoded.kept == [1]
    pictures = [to_data_uri(np.full((1, 4, 4), 9, dtype=np.uint8)), to_data_uri(np.full((3, 8, 8), 9, dtype=np.uint8))]
    fitted = encode_records(
        build_encoder("pixels"), source("image"), records(*pictures), cache=None, fetch=None, expected_shape=(1, 8, 8)
    )
    np.testing.assert_array_equal(fitted.x, np.full((2, 1, 8, 8), 9, dtype=np.uint8))


def test_addresses_are_fetched_once_and_equal_content_is_encoded_once(cache: EmbeddingCache) -> None:
    fetched: list[str] = []

    def fetch(address: str) -> bytes:
        fetched.append(address)
        return b"the same" if "same" in address else address.encode()

    encoder = CountingEncoder()
    values = ["http://x/same1", "http://x/same2", "http://x/other", "http://x/same1"]
    texts = source("text", by_url=True)
    first = encode_records(encoder, texts, records(*values), cache=cache, fetch=fetch)
    assert sorted(fetched) == ["http://x/other", "http://x/same1", "http://x/same2"]
    assert sorted(encoder.asked) == ["http://x/other", "the same"]
    again = encode_records(CountingEncoder(), texts, records(*values), cache=cache, fetch=fetch)
    assert len(fetched) == 3, "a known address is not fetched again"
    np.testing.assert_array_equal(first.x, again.x)


def test_media_that_cannot_be_had_leaves_the_others_alone(cache: EmbeddingCache) -> None:
    picture = np.full((1, 4, 4), 7, dtype=np.uint8)

    def fetch(address: str) -> bytes:
        if "gone" in address:
            raise MediaError("its address answers HTTP 404")
        if "slow" in address:
            raise MediaError("its address did not deliver within 20 seconds")
        return to_png(picture)

    values = ["/gone.png", "/good.png", "/slow.png", "", to_data_uri(picture)]
    encoded = encode_records(build_encoder("pixels"), source("image"), records(*values), cache=cache, fetch=fetch)
    assert encoded.kept == [1, 4]
    np.testing.assert_array_equal(encoded.x, np.stack([picture, picture]))
    assert set(encoded.unreadable) == {0, 2, 3}
    assert encoded.unreadable[2] == "its address did not deliver within 20 seconds"


def test_what_nobody_thought_of_in_one_task_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fetch(address: str) -> bytes:
        if address == "odd":
            raise AssertionError("never thought of")
        return address.encode()

    found = encode_records(
        CountingEncoder(), source("text", by_url=True), records("a", "odd", "b"), cache=None, fetch=fetch
    )
    assert found.kept == [0, 2]
    assert "log" in found.unreadable[1]
    assert "never thought of" in caplog.text

    def read(_source: Source, record: Record) -> str:
        if record.key == 1:
            raise RuntimeError("nor of this")
        return "text"

    monkeypatch.setattr(encoding, "read_item", read)
    assert encode_records(CountingEncoder(), source("text"), records(0, 0, 0), cache=None, fetch=None).kept == [0, 2]


def test_without_a_fetcher_addresses_are_unreadable() -> None:
    encoded = encode_records(
        build_encoder("pixels"), source("image"), records("http://x/a.png"), cache=None, fetch=None
    )
    assert "nothing here to download" in encoded.unreadable[0]


def test_html_behind_an_address_is_read_as_text(cache: EmbeddingCache) -> None:
    encoder = CountingEncoder()
    pages = {"/p": b"<html><style>x</style><p>Hi <b>there</b></p></html>", "/t": b"  plain \xff", "/e": b" "}
    encoded = encode_records(
        encoder, source("text", by_url=True), records("/p", "/t", "/e"), cache=cache, fetch=pages.__getitem__
    )
    assert encoder.asked == ["Hi there", "plain \ufffd"]
    assert encoded.unreadable == {2: "the text at its address is empty"}
