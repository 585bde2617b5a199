"""`lantern serve` with two web processes and a training: another writer, and the end (fault tests 17 and 28)."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from ml_backend.store import annotations as annotation_rows
from ml_backend.store import leases, projects, runs, tasks
from ml_backend.store.database import Database
from tests.server_process import Server, eventually, running_server

UID = "3.1795388054"
PROJECT = {"id": 3, "created_at": "2026-11-22T22:54:14Z"}
CONFIG = """<View><Text name="text" value="$text"/><Choices name="kind" toName="text">
<Choice value="battery"/><Choice value="network"/><Choice value="payment"/><Choice value="disk"/></Choices></View>"""
KINDS = {
    "battery": "battery low {}",
    "network": "network lost {}",
    "payment": "payment refused {}",
    "disk": "disk full {}",
}
N_TASKS = 4_000
SECONDS = 120.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with one project of many tasks, which no server has seen."""
    db = Database.open(tmp_path / "home")
    with db.write() as session:
        project = projects.ensure(session, UID)
        projects.configure(session, project, label_config=CONFIG)
        rows = ((i + 1, {"text": list(KINDS.values())[i % 4].format(i)}) for i in range(N_TASKS))
        projects.touch_data(session, project, tasks.upsert_many(session, project, rows), time.time())
    db.close()
    return tmp_path / "home"


@pytest.mark.slow
def test_two_web_processes_and_a_training_meet_another_writer_and_the_end(home: Path) -> None:
    db = Database.open(home)
    environ = {"WORKERS": "2", "LABEL_STUDIO_URL": ""}
    with running_server(home, environ) as server:
        eventually(lambda: run_status(db) == runs.Status.DONE, SECONDS)
        _labels_told_to_one_process_are_known_to_both(server, db)
        _no_webhook_waits_for_another_writer(server, db)
        _what_is_in_flight_at_the_end_is_answered(server, db)
    log = server.log.read_text()
    assert "killed" not in log
    assert "Traceback" not in log
    assert run_status(db) == runs.Status.QUEUED, "the training that was interrupted waits for the next server"
    with db.read() as session:
        project = projects.ensure(session, UID)
        assert leases.holder(session, project, time.time()) is None
        labels = len(annotation_rows.live(session, project))
    with running_server(home, environ) as server:
        assert predict(server, [1]) == ["battery"]
        eventually(lambda: run_status(db) == runs.Status.DONE, SECONDS)
        assert server.get("/status").json()["projects"][0]["labels"] == labels
        assert server.stop() == 0
    db.close()


def _labels_told_to_one_process_are_known_to_both(server: Server, db: Database) -> None:
    assert len(server.child("gunicorn").children()) == 2
    for task in range(1, 9):
        tell(server, created(task))
    answers = {tuple(predict(server, list(range(1, 9)))) for _ in range(20)}  # each a connection of its own
    assert answers == {tuple(list(KINDS) * 2)}
    assert count_labels(db) == 8


def _no_webhook_waits_for_another_writer(server: Server, db: Database) -> None:
    start_training(server, db)
    with writing(db), ThreadPoolExecutor(8) as senders:
        replies = list(senders.map(lambda task: tell(server, created(task)), range(9, 49)))
        assert {reply["status"] for reply in replies} == {"ok"}
        assert count_labels(db) == 8
    eventually(lambda: count_labels(db) == 48)
    webhooks = 'lantern_http_requests_total{method="POST",route="/webhook",status="200"} 49.0'
    assert webhooks in server.get("/metrics").text, "both processes' requests are counted"
    eventually(lambda: run_status(db) == runs.Status.DONE, SECONDS)


def _what_is_in_flight_at_the_end_is_answered(server: Server, db: Database) -> None:
    unknown = [{"data": {"text": f"network lost at gate {i}"}} for i in range(200)]
    body = json.dumps({"project": UID, "label_config": CONFIG, "tasks": unknown}).encode()
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=30) as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert connection.recv(1024).startswith(b"HTTP/1.1 100"), "a thread of the server has the request"
        start_training(server, db)
        server.process.terminate()
        eventually(lambda: "Worker exiting" in server.log.read_text())  # the other process had nothing to finish
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert len(json.loads(answer.partition(b"\r\n\r\n")[2])["results"]) == len(unknown)
    assert server.process.wait(timeout=30) == 0


@contextmanager
def writing(db: Database) -> Iterator[None]:
    """Holds the database's write lock, from a process that is none of the server's."""
    other = sqlite3.connect(db.path, isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


def created(task: int) -> dict[str, Any]:
    kind = list(KINDS)[(task - 1) % 4]
    region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": [kind]}}
    annotation = {"id": task, "task": task, "result": [region], "updated_at": "2026-11-22T22:55:00Z"}
    return {"action": "ANNOTATION_CREATED", "annotation": annotation, "project": PROJECT}


def tell(server: Server, event: dict[str, Any]) -> dict[str, Any]:
    reply = requests.post(f"{server.url}/webhook", json=event, timeout=10)
    assert reply.ok, reply.text
    return dict(reply.json())


def predict(server: Server, ids: list[int]) -> list[str]:
    """The kind that each task gets."""
    asked = [{"id": i, "data": {"text": list(KINDS.values())[(i - 1) % 4].format(i - 1)}} for i in ids]
    body = {"project": UID, "label_config": CONFIG, "tasks": asked}
    reply = requests.post(f"{server.url}/predict", json=body, timeout=60)
    return [entry["result"][0]["value"]["choices"][0] for entry in reply.json()["results"]]


def start_training(server: Server, db: Database) -> None:
    """Ask for one and return while it runs."""
    tell(server, {"action": "START_TRAINING", "project": PROJECT})
    eventually(lambda: run_status(db) == runs.Status.RUNNING, SECONDS)


def run_status(db: Database) -> str | None:
    with db.read() as session:
        run = runs.newest(session, projects.ensure(session, UID))
    return run.status if run else None


def count_labels(db: Database) -> int:
    with db.read() as session:
        return annotation_rows.count_labels(session, projects.ensure(session, UID))
