"""Fault tests 1 and 2: what is not strict JSON of the right shape is refused with our own words, never a 500."""

from __future__ import annotations

import io
import json

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse

from ml_backend.errors import InputError
from ml_backend.web.bodies import MAX_DEPTH, parse

from .conftest import RecordingService

POSTS = ["/setup", "/predict", "/webhook"]
NOT_AN_OBJECT = [b"", b"{", b"[]", b"NaN", b'"x"', b"null", b"1", b"\xff\xfe\x00"]
NOT_FINITE = [b'{"tasks": NaN}', b'{"tasks": [-Infinity]}', b'{"tasks": [1e999]}', b'{"tasks": [%s]}' % (b"9" * 5000)]


def post(
    client: FlaskClient, raw: bytes | str, path: str = "/predict", kind: str | None = "application/json"
) -> TestResponse:
    return client.post(path, data=raw, content_type=kind)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_other_content_types_are_415(open_client: FlaskClient, path: str, kind: str | None) -> None:
    reply = post(open_client, b'{"tasks": []}', path, kind)
    assert reply.status_code == 415
    assert "application/json" in reply.get_json()["error"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("raw", NOT_AN_OBJECT + NOT_FINITE)
def test_what_is_not_a_json_object_is_400(
    open_client: FlaskClient, service: RecordingService, path: str, raw: bytes
) -> None:
    reply = post(open_client, raw, path)
    assert reply.status_code == 400
    assert reply.get_json()["error"]
    assert service.bodies == []


@pytest.mark.parametrize("raw", ["{}", '{"tasks": null}', '{"tasks": {"id": 1}}', '{"tasks": "x"}', '{"tasks": 3}'])
def test_predict_wants_a_list_of_tasks(open_client: FlaskClient, raw: str) -> None:
    reply = post(open_client, raw)
    assert reply.status_code == 400
    assert "tasks" in reply.get_json()["error"]


def test_broken_tasks_are_left_to_the_service(open_client: FlaskClient) -> None:
    reply = post(open_client, json.dumps({"tasks": [None, 3, "x", {}, []]}))
    assert reply.status_code == 200
    assert len(reply.get_json()["results"]) == 5


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("bomb", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 500 + b"]" * 500])
def test_a_nesting_bomb_is_400(open_client: FlaskClient, path: str, bomb: bytes) -> None:
    assert post(open_client, bomb, path).status_code == 400


def test_over_the_size_cap_is_413(open_client: FlaskClient, service: RecordingService) -> None:
    open_client.application.config["MAX_CONTENT_LENGTH"] = 1000
    reply = post(open_client, b'{"tasks": [' + b" " * 1000 + b"]}")
    assert reply.status_code == 413
    assert "1,000 bytes" in reply.get_json()["error"]
    assert "LANTERN_MAX_BODY_BYTES" in reply.get_json()["error"]
    assert service.bodies == []


def test_over_the_size_cap_without_telling_its_length_is_413(
    open_client: FlaskClient, service: RecordingService
) -> None:
    open_client.application.config["MAX_CONTENT_LENGTH"] = 1000
    for raw, status in ((b'{"tasks": []}', 200), (b'{"tasks": []}' + b" " * 1000 + b"garbage", 413)):
        chunked = EnvironBuilder(
            path="/predict",
            method="POST",
            input_stream=io.BytesIO(raw),
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},  # a body in chunks
        )
        assert open_client.open(chunked).status_code == status
    assert len(service.bodies) == 1


@pytest.mark.parametrize("depth", [1, MAX_DEPTH - 1, MAX_DEPTH])
def test_depth_up_to_the_limit_is_read(depth: int) -> None:
    value = parse(b"[" * depth + b"]" * depth)
    for _ in range(depth - 1):
        assert isinstance(value, list)
        value = value[0]
    assert value == []


def test_one_deeper_than_the_limit_is_refused() -> None:
    with pytest.raises(InputError, match=str(MAX_DEPTH)):
        parse(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_lone_surrogates_become_question_marks_and_emoji_stay() -> None:
    assert parse(rb'{"a": "x\ud800y", "b": "\ud83d\ude00"}') == {"a": "x?y", "b": "\U0001f600"}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_strict_json_is_read_as_it_is(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_an_input_error(raw: bytes) -> None:
    try:
        value = parse(raw)
    except InputError:
        return
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
