"""Each route hands on what it got, and /health and /ready tell apart alive and able."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ml_backend.errors import StoreError
from ml_backend.web.run_environment import STOPPING_FILE

from .conftest import RecordingService


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
def test_the_body_arrives_as_sent(open_client: FlaskClient, service: RecordingService, path: str) -> None:
    body = {"project": "12.1795381627", "tasks": [{"id": 1, "data": {"text": "Grüße \U0001f600", "n": [1.5, None]}}]}
    assert open_client.post(path, json=body).status_code == 200
    assert service.bodies == [body]


def test_the_reply_is_the_services(open_client: FlaskClient) -> None:
    assert open_client.post("/setup", json={}).json == {"model_version": "lantern-1"}
    assert open_client.post("/predict", json={"tasks": [{}, {}]}).get_json()["results"] == [[], []]
    assert open_client.get("/versions").json == {"versions": ["lantern-1"]}


def test_status_passes_the_project_on(open_client: FlaskClient, service: RecordingService) -> None:
    open_client.get("/status?project=12.5")
    open_client.get("/status")
    assert service.bodies == [{"project": "12.5"}, {"project": None}]


def test_health_never_asks_the_service(open_client: FlaskClient, service: RecordingService) -> None:
    service.failure = StoreError("the database is gone")
    assert open_client.get("/health").status_code == 200
    assert open_client.get("/").json == open_client.get("/health").json
    assert service.bodies == []
    assert open_client.get("/ready").status_code == 503


def test_ready_follows_the_service(open_client: FlaskClient, service: RecordingService) -> None:
    assert open_client.get("/ready").json == {"ready": True, "database": "ok"}
    service.is_ready = False
    reply = open_client.get("/ready")
    assert (reply.status_code, reply.get_json()["ready"]) == (503, False)


def test_a_stopping_server_is_not_ready_but_answers(
    open_client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "stopping"
    monkeypatch.setenv(STOPPING_FILE, str(flag))
    assert open_client.get("/ready").status_code == 200
    flag.touch()
    assert open_client.get("/ready").status_code == 503
    assert open_client.post("/predict", json={"tasks": [{}]}).status_code == 200
