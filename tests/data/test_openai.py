"""The embeddings client against a real local server that speaks OpenAI's API, and fails as such servers do."""

from __future__ import annotations

import email.utils
import json
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.data.encoders import Encoder, EncoderOptions, Unreadable, build_encoder
from ml_backend.errors import ConfigError, EncoderUnavailable, EncodingError
from tests.data.conftest import LocalServer, Serve, reply
from tests.data.encoded import vector, vectors

KEY = "sk-secret-key"


def vector_of(text: str) -> list[float]:
    """What the fake model computes: tells texts apart, not normalised."""
    return [float(len(text)), float(sum(text.encode()) % 97) + 1.0, 2.0]


def embeddings(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """A well-behaved server, except that it answers in reverse order."""
    texts = json.loads(body)["input"]
    data = [{"object": "embedding", "index": i, "embedding": vector_of(t)} for i, t in enumerate(texts)]
    reply(handler, json.dumps({"object": "list", "data": data[::-1], "model": "m"}).encode())


def options_for(server: LocalServer) -> EncoderOptions:
    """Never really waits."""
    return EncoderOptions(
        embeddings_url=f"{server.url}/v1", embeddings_api_key=KEY, sleep=lambda _: None, timeout_seconds=5
    )


def encoder(server: LocalServer, sleeps: list[float] | None = None) -> Encoder:
    options = options_for(server)
    return build_encoder("openai:m", options if sleeps is None else replace(options, sleep=sleeps.append))


def expected(texts: list[str]) -> NDArray[np.float64]:
    rows = np.array([vector_of(text) for text in texts], np.float64)
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / lengths


def test_texts_go_in_batches_and_come_back_in_order_and_normalised(serve: Serve) -> None:
    server = serve(embeddings)
    texts = [f"text {'x' * i}" for i in range(7)]
    values = build_encoder("openai:m", replace(options_for(server), batch_size=3)).encode(texts)
    np.testing.assert_allclose(vectors(values), expected(texts), rtol=1e-5)
    sent = [json.loads(body) for _, _, body in server.requests]
    assert [len(request["input"]) for request in sent] == [3, 3, 1]
    assert {request["model"] for request in sent} == {"m"}
    assert {path for path, _, _ in server.requests} == {"/v1/embeddings"}
    assert {headers["Authorization"] for _, headers, _ in server.requests} == {f"Bearer {KEY}"}


def test_a_full_address_is_used_as_it_is(serve: Serve) -> None:
    server = serve(embeddings)
    options = EncoderOptions(embeddings_url=f"{server.url}/embed/embeddings/")
    build_encoder("openai:m", options).encode(["a", "b"])
    path, headers, _ = server.requests[0]
    assert path == "/embed/embeddings"
    assert "Authorization" not in headers


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_busy_and_broken_servers_are_asked_again_with_growing_waits(serve: Serve, status: int) -> None:
    failures = iter([status, status])

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        failed = next(failures, None)
        reply(handler, b"busy", failed) if failed else embeddings(handler, body)

    sleeps: list[float] = []
    values = encoder(serve(answer), sleeps).encode(["abc"])
    np.testing.assert_allclose(vectors(values), expected(["abc"]), rtol=1e-5)
    assert sleeps == [0.5, 1.0]


def test_retry_after_is_honoured_in_seconds_and_as_a_date_up_to_the_cap(serve: Serve) -> None:
    in_half_a_minute = email.utils.formatdate(time.time() + 30, usegmt=True)
    asked = iter(["7", in_half_a_minute, "9999", "soon"])

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        wait = next(asked, None)
        reply(handler, b"", 429, Retry_After=wait) if wait else embeddings(handler, body)

    sleeps: list[float] = []
    options = replace(options_for(serve(answer)), sleep=sleeps.append, max_wait_seconds=60.0)
    build_encoder("openai:m", options).encode(["abc"])
    assert sleeps[0] == 7.0
    assert 25 < sleeps[1] <= 30
    assert sleeps[2:] == [60.0, 4.0]


def test_a_dropped_connection_is_tried_again(serve: Serve) -> None:
    drops = iter([True])

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if next(drops, False):
            handler.connection.close()
        else:
            embeddings(handler, body)

    server = serve(answer)
    np.testing.assert_allclose(vectors(encoder(server).encode(["abc"])), expected(["abc"]), rtol=1e-5)
    assert len(server.requests) == 2


def test_a_service_that_stays_down_is_unavailable_and_says_why(serve: Serve) -> None:
    server = serve(lambda handler, _: reply(handler, b'{"error": {"message": "overloaded"}}', 503))
    with pytest.raises(EncoderUnavailable, match="3 times: HTTP 503 overloaded") as caught:
        build_encoder("openai:m", replace(options_for(server), max_attempts=3)).encode(["abc"])
    assert len(server.requests) == 3
    assert KEY not in str(caught.value)


def test_nobody_listening_is_unavailable(serve: Serve) -> None:
    server = serve(embeddings)
    closed = EncoderOptions(embeddings_url="http://127.0.0.1:1", sleep=lambda _: None, max_attempts=2)
    with pytest.raises(EncoderUnavailable):
        build_encoder("openai:m", closed).encode(["abc"])
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "LANTERN_EMBEDDINGS_API_KEY"),
        (403, "LANTERN_EMBEDDINGS_API_KEY"),
        (404, "LANTERN_EMBEDDINGS_URL"),
        (418, "418"),
    ],
)
def test_wrong_settings_are_named_and_not_tried_again(serve: Serve, status: int, words: str) -> None:
    server = serve(lambda handler, _: reply(handler, b"no", status))
    with pytest.raises(ConfigError, match=words) as caught:
        encoder(server).encode(["abc"])
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)


def test_redirects_are_not_followed_so_the_key_stays(serve: Serve) -> None:
    thief = serve(embeddings)
    server = serve(lambda handler, _: reply(handler, b"", 307, Location=f"{thief.url}/v1/embeddings"))
    with pytest.raises(ConfigError, match="307"):
        encoder(server).encode(["abc"])
    assert thief.requests == []


def test_a_text_that_is_refused_does_not_stop_the_others(serve: Serve) -> None:
    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if any(len(text) > 20 for text in json.loads(body)["input"]):
            reply(handler, b'{"error": {"message": "too many tokens"}}', 400)
        else:
            embeddings(handler, body)

    texts = ["a", "bb", "c" * 21, "dd", "e"]
    values = encoder(serve(answer)).encode(texts)
    assert [i for i, value in enumerate(values) if isinstance(value, Unreadable)] == [2]
    assert values[2] == Unreadable("the embedding service refuses its text: too many tokens")
    good = vectors(value for value in values if isinstance(value, np.ndarray))
    np.testing.assert_allclose(good, expected(["a", "bb", "dd", "e"]), rtol=1e-5)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"data": []}',
        b'{"data": [{"index": 0, "embedding": [1, 2]}]}',
        b'{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 0, "embedding": [1, 2]}]}',
        b'{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1]}]}',
        b'{"data": [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}]}',
        b'{"data": [{"index": 0, "embedding": null}, {"index": 1, "embedding": null}]}',
    ],
)
def test_replies_of_another_shape_are_refused_and_never_mixed_up(serve: Serve, body: bytes) -> None:
    with pytest.raises(EncodingError, match="something else than 2 vectors"):
        encoder(serve(lambda handler, _: reply(handler, body))).encode(["a", "b"])


def test_a_vector_with_nan_is_unreadable_alone(serve: Serve) -> None:
    body = b'{"data": [{"index": 0, "embedding": [NaN, 1]}, {"index": 1, "embedding": [3, 4]}]}'
    bad, good = encoder(serve(lambda handler, _: reply(handler, body))).encode(["a", "b"])
    assert isinstance(bad, Unreadable)
    np.testing.assert_allclose(vector(good), [0.6, 0.8], rtol=1e-6)


def test_the_address_is_required_and_the_key_is_hidden() -> None:
    with pytest.raises(ConfigError, match="LANTERN_EMBEDDINGS_URL"):
        build_encoder("openai:m")
    assert KEY not in repr(EncoderOptions(embeddings_api_key=KEY))
