"""What goes out: errors in one shape, strict JSON, headers, metrics; nothing secret anywhere (fault tests 4 and 12)."""

from __future__ import annotations

import io
import logging
from itertools import chain
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ml_backend.config import Settings
from ml_backend.errors import InputError, LabelStudioError, LanternError, StoreError
from ml_backend.logs import configure_logging

from .conftest import PASSWORD, SECRET, RecordingService, basic, make_client


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("bad id"), 400),
        (StoreError("locked"), 503),
        (LabelStudioError("down"), 502),
        (LanternError("x"), 500),
    ],
)
def test_typed_errors_say_what_was_wrong(
    open_client: FlaskClient, service: RecordingService, error: LanternError, status: int
) -> None:
    service.failure = error
    reply = open_client.post("/predict", json={"tasks": []})
    assert (reply.status_code, reply.json) == (status, {"error": str(error)})


def test_an_unexpected_error_shows_no_traceback(
    open_client: FlaskClient, service: RecordingService, caplog: pytest.LogCaptureFixture
) -> None:
    service.failure = ZeroDivisionError("secret inner words")
    reply = open_client.post("/predict", json={"tasks": []})
    assert reply.status_code == 500
    assert "inner words" not in reply.text
    assert "Traceback" not in reply.text
    assert "ZeroDivisionError" in caplog.text
    service.failure = None
    assert 'lantern_http_failures_total{route="/predict"} 1.0' in open_client.get("/metrics").text


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_hold_never_leaves(
    open_client: FlaskClient, service: RecordingService, number: float
) -> None:
    service.reply = {"results": [{"score": number}]}
    reply = open_client.post("/predict", json={"tasks": [{}]})
    assert reply.status_code == 500
    assert "NaN" not in reply.text
    assert "Infinity" not in reply.text


def test_secrets_appear_nowhere(service: RecordingService, tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        basic_auth_user="ann",
        basic_auth_pass=PASSWORD,
        webhook_secret=SECRET,
        label_studio_api_key="key-1",
    )
    configure_logging("DEBUG", settings.secrets())
    written = io.StringIO()
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    client = make_client(settings, service)
    bodies = {
        "/setup": {"project": "1.2", "schema": "<View/>", "access_token": "owner-token-1"},
        "/predict": {"tasks": [], "params": {"login": "ann", "password": "task-password-1"}},
        "/webhook": {
            "action": "X",
            "project": {"id": 1, "token": "project-token-1", "task_data_password": "data-pass-1"},
        },
    }
    configured = [PASSWORD, SECRET, "key-1"]
    brought = {
        "/setup": ["owner-token-1"],
        "/predict": ["task-password-1"],
        "/webhook": ["project-token-1", "data-pass-1"],
    }
    replies = []
    for path, body in bodies.items():
        spoken = " ".join([*configured, *brought[path]])
        for failure in (None, RuntimeError(spoken), LanternError(spoken)):
            service.failure = failure
            replies.append(client.post(path, json=body, headers=basic()).text)
    service.failure = None
    replies.append(client.get("/metrics", headers=basic()).text)
    everything = written.getvalue() + "".join(replies)
    assert "RuntimeError" in written.getvalue()
    assert [text for text in chain(configured, *brought.values()) if text in everything] == []


def test_access_lines_hold_no_query_and_no_free_path(
    open_client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        open_client.get("/status?project=1&token=in-the-query")
        open_client.get("/free/path%0Aforged-line")
    assert "/status -> 200" in caplog.text
    assert "unmatched -> 404" in caplog.text
    assert "in-the-query" not in caplog.text
    assert "forged-line" not in caplog.text


@pytest.mark.parametrize("path", ["/health", "/nothing", "/metrics"])
def test_security_headers_are_on_every_reply(open_client: FlaskClient, path: str) -> None:
    headers = open_client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"


def test_wrong_paths_and_methods_are_json_too(open_client: FlaskClient) -> None:
    assert open_client.get("/nothing").get_json()["error"]
    reply = open_client.get("/setup")
    assert reply.status_code == 405
    assert reply.get_json()["error"]
    assert "POST" in reply.headers["Allow"]


def test_metrics_hold_the_databases_counters_while_it_can_be_read(
    open_client: FlaskClient, service: RecordingService
) -> None:
    assert 'lantern_events_total{event="webhook_X"} 3.0' in open_client.get("/metrics").text
    service.failure = StoreError("locked")
    text = open_client.get("/metrics").text
    assert "webhook_X" not in text
    assert "lantern_http_requests_total" in text


def test_metrics_name_route_patterns_only(open_client: FlaskClient) -> None:
    open_client.get("/health")
    open_client.get("/made-up-by-a-caller")
    text = open_client.get("/metrics").text
    assert 'lantern_http_requests_total{method="GET",route="/health",status="200"} 1.0' in text
    assert "made-up-by-a-caller" not in text
    assert 'lantern_http_request_seconds_count{route="/health"} 1.0' in text
