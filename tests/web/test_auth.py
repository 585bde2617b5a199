"""Fault tests 9, 10 and 13: who may call what, and what happens to those who may not."""

from __future__ import annotations

import base64
import logging
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ml_backend.config import WEBHOOK_SECRET_HEADER, Settings
from ml_backend.web.attempts import LIMIT, MOST_ADDRESSES, WINDOW_SECONDS, Attempts

from .conftest import PASSWORD, SECRET, USER, Clock, RecordingService, basic, make_client

GUARDED = ["/", "/versions", "/metrics", "/ready", "/status?project=1", "/nothing-here"]
MALFORMED = {
    "missing": {},
    "wrong password": basic(password="nope"),
    "wrong user": basic(user="eve"),
    "empty": {"Authorization": ""},
    "scheme only": {"Authorization": "Basic"},
    "bearer": {"Authorization": "Bearer x"},
    "digest": {"Authorization": 'Digest username="ann"'},
    "not base64": {"Authorization": "Basic %%%"},
    "no colon": {"Authorization": "Basic " + base64.b64encode(b"ann").decode()},
    "not UTF-8": {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\x00").decode()},
    "non-ASCII user": basic(user="änn"),
    "empty pair": basic(user="", password=""),
    "oversized": basic(user="a" * 100_000),
    "password twice": basic(password=PASSWORD * 2),
}


@pytest.mark.parametrize("path", GUARDED)
def test_every_route_but_health_wants_the_log_in(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401
    assert client.get(path, headers=basic()).status_code in (200, 404)


def test_health_is_open(client: FlaskClient) -> None:
    assert client.get("/health").get_json()["status"] == "UP"


def test_all_bad_credentials_get_the_same_401(client: FlaskClient) -> None:
    replies = {name: client.get("/versions", headers=headers) for name, headers in MALFORMED.items()}
    assert {name: reply.status_code for name, reply in replies.items()} == dict.fromkeys(MALFORMED, 401)
    assert len({reply.data for reply in replies.values()}) == 1
    assert all(reply.headers["WWW-Authenticate"].startswith("Basic") for reply in replies.values())


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
def test_nothing_reaches_the_service_without_credentials(
    client: FlaskClient, service: RecordingService, path: str
) -> None:
    assert client.post(path, json={"tasks": []}).status_code == 401
    assert service.bodies == []


def test_webhook_takes_the_secret_or_the_log_in(client: FlaskClient) -> None:
    event = {"action": "START_TRAINING"}
    assert client.post("/webhook", json=event, headers={WEBHOOK_SECRET_HEADER: SECRET}).status_code == 200
    assert client.post("/webhook", json=event, headers=basic()).status_code == 200
    assert client.post("/webhook", json=event, headers={WEBHOOK_SECRET_HEADER: SECRET + "x"}).status_code == 401


def test_the_webhook_secret_opens_nothing_else(client: FlaskClient) -> None:
    assert client.post("/predict", json={"tasks": []}, headers={WEBHOOK_SECRET_HEADER: SECRET}).status_code == 401


def test_a_refused_webhook_is_loud(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        client.post("/webhook", json={"action": "ANNOTATION_CREATED"})
    assert "lantern connect" in caplog.text
    assert 'lantern_http_refused_total{route="/webhook"} 1.0' in client.get("/metrics", headers=basic()).text


def test_a_secret_alone_guards_only_the_webhook(service: RecordingService, tmp_path: Path) -> None:
    client = make_client(Settings(home=tmp_path, webhook_secret=SECRET), service)
    assert client.post("/webhook", json={}).status_code == 401
    assert client.post("/predict", json={"tasks": []}).status_code == 200


def test_settings_say_which_headers_open_the_webhook(service: RecordingService, tmp_path: Path) -> None:
    for settings in (
        Settings(home=tmp_path),
        Settings(home=tmp_path, webhook_secret=SECRET),
        Settings(home=tmp_path, basic_auth_user=USER, basic_auth_pass=PASSWORD),
    ):
        reply = make_client(settings, service).post("/webhook", json={}, headers=settings.webhook_headers())
        assert reply.status_code == 200


def test_too_many_bad_log_ins_have_to_wait(client: FlaskClient, clock: Clock) -> None:
    for _ in range(LIMIT):
        assert client.get("/versions", headers=basic(password="guess")).status_code == 401
    reply = client.get("/versions", headers=basic())
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) == WINDOW_SECONDS
    assert client.get("/health").status_code == 200
    assert client.get("/versions", headers=basic(), environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200
    clock.now += WINDOW_SECONDS
    assert client.get("/versions", headers=basic()).status_code == 200


def test_requests_without_credentials_lock_nobody_out(client: FlaskClient) -> None:
    for _ in range(LIMIT + 5):
        client.post("/webhook", json={})
    assert client.get("/versions", headers=basic()).status_code == 200


def test_attempts_forget_the_oldest_address(clock: Clock) -> None:
    attempts = Attempts(clock)
    for _ in range(LIMIT):
        attempts.failed("first")
    assert attempts.wait_seconds("first") > 0
    for n in range(MOST_ADDRESSES):
        attempts.failed(f"address-{n}")
    assert attempts.wait_seconds("first") == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_cannot_post_with_the_browsers_log_in(
    client: FlaskClient, service: RecordingService, site: str
) -> None:
    reply = client.post("/webhook", json={}, headers={**basic(), "Sec-Fetch-Site": site})
    assert reply.status_code == 403
    assert service.bodies == []
    assert client.post("/webhook", json={}, headers={**basic(), "Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://lantern.example:81", "null", "http://[", ""])
def test_nor_can_one_over_plain_http_where_browsers_tell_the_origin_alone(
    client: FlaskClient, service: RecordingService, origin: str
) -> None:
    host = {**basic(), "Host": "lantern.example:9090"}
    assert client.post("/webhook", json={}, headers={**host, "Origin": origin}).status_code == 403
    assert service.bodies == []
    assert (
        client.post("/webhook", json={}, headers={**host, "Origin": "http://lantern.example:9090"}).status_code == 200
    )


def test_a_page_behind_a_proxy_may_post_under_the_name_that_was_told(service: RecordingService, tmp_path: Path) -> None:
    client = make_client(Settings(home=tmp_path, browser_url="https://map.example/base"), service)
    headers = {"Host": "localhost:9090", "Origin": "https://map.example"}
    assert client.post("/webhook", json={}, headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:9090", "localhost:9090", "[::1]:9090", "host.docker.internal:9090"])
def test_without_credentials_local_names_are_answered(open_client: FlaskClient, host: str) -> None:
    assert open_client.get("/versions", headers={"Host": host}).status_code == 200


def test_without_credentials_a_rebound_name_is_refused(service: RecordingService, tmp_path: Path) -> None:
    told = Settings(home=tmp_path, public_url="https://lantern.example", browser_url="https://map.example/base")
    client = make_client(told, service)
    assert client.get("/versions", headers={"Host": "evil.example:9090"}).status_code == 403
    assert client.get("/versions", headers={"Host": "lantern.example"}).status_code == 200
    assert client.get("/versions", headers={"Host": "map.example"}).status_code == 200, "as browsers call it"
