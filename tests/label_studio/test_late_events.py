"""Webhooks while another process writes: acknowledged without waiting for it, and nothing is lost (fault test 17)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ml_backend.config import Settings
from ml_backend.errors import InputError, StoreError
from ml_backend.label_studio import late_events
from ml_backend.label_studio import service as service_module
from ml_backend.label_studio.service import LanternService
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import counters, projects
from ml_backend.store.database import Database
from ml_backend.store.inbox import FOLDER_NAME, Inbox, Letter
from tests.label_studio.conftest import CONFIG, UID, FakeEngine, project_row
from tests.server_process import eventually

PROJECT = {"id": 3, "created_at": "2026-11-22T22:54:14.296374Z", "label_config": CONFIG, "token": "project-token-1"}


@contextmanager
def writing(db: Database) -> Iterator[None]:
    """Holds the write lock, as another process's long transaction does."""
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


def created(number: int, updated: str = "2026-11-22T22:55:00Z") -> dict[str, Any]:
    region = {"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["a"]}}
    return {
        "action": "ANNOTATION_CREATED",
        "annotation": {"id": number, "task": number, "result": [region], "updated_at": updated},
        "project": PROJECT,
    }


def labels(db: Database) -> list[int]:
    with db.read() as session:
        project = projects.find(session, UID)
        return [row.annotation_id for row in annotation_rows.live(session, project)] if project else []


def test_no_webhook_waits_for_a_writer_and_each_is_recorded(service: LanternService, db: Database) -> None:
    service.webhook(created(1))
    with writing(db):  # a webhook that waited for its end would wait for ever
        replies = [service.webhook(created(n)) for n in range(2, 12)]
        deleted = {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 3}], "project": PROJECT}
        replies.append(service.webhook(deleted))
        replies.append(service.webhook({"action": "START_TRAINING", "project": PROJECT}))
        assert {reply["status"] for reply in replies} == {"ok"}
        assert labels(db) == [1]
    eventually(lambda: labels(db) == [1, 2, *range(4, 12)] and project_row(db).training_requested == 1)
    with db.read() as session:
        assert counters.read(session)["webhook_ANNOTATION_CREATED"] == 11
    assert not list((db.path.parent / FOLDER_NAME).glob("*.json"))


def test_the_order_of_arrival_is_kept(service: LanternService, db: Database) -> None:
    """The newest label config is the last one that came: it has no time of its own."""

    def renamed(title: str) -> dict[str, object]:
        return {"action": "PROJECT_UPDATED", "project": {**PROJECT, "title": title}}

    with writing(db):
        service.webhook(renamed("one"))
        service.webhook(renamed("two"))
    service.webhook(renamed("three"))
    eventually(lambda: not list((db.path.parent / FOLDER_NAME).glob("*.json")))
    assert project_row(db).title == "three"


def test_what_a_killed_server_acknowledged_is_recorded_by_the_next(
    settings: Settings, db: Database, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dead:
        dead.setattr(late_events.LateEvents, "_go_on", lambda _self: None)  # its thread died with it
        service = LanternService(settings, db, engine)
        with writing(db):
            service.webhook(created(1))
        assert labels(db) == []
    LanternService(settings, db, engine)
    eventually(lambda: labels(db) == [1])


def test_a_failure_of_the_database_is_retried_and_a_hopeless_event_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_events, "RETRY_SECONDS", 0.01)
    tried: list[object] = []

    def record(body: object, _at: float) -> None:
        tried.append(body)
        if body == {"action": "BAD", "project": None}:
            raise InputError("no such thing")
        if tried.count(body) < 3:
            raise StoreError("locked")

    repaired: list[object] = []
    late = late_events.LateEvents(Inbox(tmp_path), record, repaired.append)
    late.keep({"action": "BAD"}, 1.0)
    late.keep({"action": "GOOD"}, 2.0)
    eventually(lambda: not late.waiting)
    assert repaired == [{"action": "BAD", "project": None}]
    assert tried == [{"action": "BAD", "project": None}] + [{"action": "GOOD", "project": None}] * 3


def test_after_an_unheard_of_failure_the_next_webhook_takes_the_others_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorded: list[object] = []
    inbox = Inbox(tmp_path)
    late = late_events.LateEvents(inbox, lambda body, _at: recorded.append(body), lambda _lost: None)
    with monkeypatch.context() as broken:
        broken.setattr(inbox, "empty", raising(RuntimeError("nobody thought of this")))
        late.keep({"action": "FIRST"}, 1.0)
        eventually(lambda: "nobody thought of this" in caplog.text)
    late.keep({"action": "SECOND"}, 2.0)
    eventually(lambda: not late.waiting)
    assert recorded == [{"action": "FIRST", "project": None}, {"action": "SECOND", "project": None}]


@pytest.mark.parametrize(("body", "asked"), [(created(1), [True, False]), ({"action": "X"}, [True, True])])
def test_a_dropped_webhook_asks_for_a_reconcile_of_its_project_or_of_all(
    service: LanternService, db: Database, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], asked: list[bool]
) -> None:
    two_projects(db)
    monkeypatch.setattr(service_module, "record_event", raising(RuntimeError("a defect")))
    with writing(db):
        service.webhook(body)
    eventually(lambda: reconciles(db) == asked and not waiting_letters(db))


def test_a_damaged_webhook_asks_for_a_reconcile_of_all(settings: Settings, db: Database, engine: FakeEngine) -> None:
    two_projects(db)
    Inbox(db.path.parent).put(Letter(created(1), 1.0))
    (letter,) = waiting_letters(db)
    letter.write_text('{"at": 0, "bo')
    LanternService(settings, db, engine)
    eventually(lambda: reconciles(db) == [True, True] and not waiting_letters(db))


def two_projects(db: Database) -> None:
    with db.write() as session:
        projects.ensure(session, UID)
        projects.ensure(session, "4.1795388054")


def reconciles(db: Database) -> list[bool]:
    """Whether one is asked for, of each project."""
    with db.read() as session:
        return [project.reconcile_requested is not None for project in projects.list_all(session)]


def waiting_letters(db: Database) -> list[Path]:
    return list((db.path.parent / FOLDER_NAME).glob("*.json"))


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_no_token_of_label_studio_is_kept(service: LanternService, db: Database) -> None:
    with writing(db):
        service.webhook(created(1))
        (letter,) = (db.path.parent / FOLDER_NAME).glob("*.json")
        assert "project-token-1" not in letter.read_text()
    eventually(lambda: labels(db) == [1])
