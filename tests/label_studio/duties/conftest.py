"""A played Label Studio, two clocks moved by hand, and what makes a duty due."""

from __future__ import annotations

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio import cleaning, duties, waits
from ml_backend.label_studio import push as push_module
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.duties import PushDuty
from ml_backend.store import projects, runs, tasks
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID, FakeEngine, publish
from tests.label_studio.fake import FakeLabelStudio

START = 1_000_000.0
HOURS = 3 * 3600.0


class Clock:
    """Both clocks, moved by hand: `now` together, `back` one of them."""

    def __init__(self) -> None:
        self.now = START
        self.back = 0.0

    def time(self) -> float:
        return self.now - self.back

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for module in (duties, push_module, cleaning, waits):
        monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture
def fake(db: Database, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> FakeLabelStudio:
    found = FakeLabelStudio()
    found.add_tasks(1, 2, 3)
    engine.task_ids = [1, 2, 3]
    with db.write() as session:
        project = projects.ensure(session, UID)
        projects.configure(session, project, label_config=CONFIG)
        tasks.upsert_many(session, project, found.tasks.items())
    monkeypatch.setattr(Connections, "api_at", lambda *_: found.api())
    monkeypatch.setattr(push_module, "publish_labels", lambda db, uid, _: publish(db, uid))
    return found


@pytest.fixture
def push(db: Database, settings: Settings, engine: FakeEngine, fake: FakeLabelStudio, clock: Clock) -> PushDuty:
    return PushDuty(db, settings, Connections(settings), engine)


def label(db: Database, clock: Clock, count: int = 1) -> None:
    with db.write() as session:
        projects.touch_labels(session, projects.ensure(session, UID), count, clock.time())


def train(db: Database) -> None:
    publication = publish(db, trained=True)
    with db.write() as session:
        run = runs.create(session, projects.ensure(session, UID), {}, START)
        runs.start(session, run, START)
        runs.finish(session, run, publication.number, START)


def gone(request: httpx.Request) -> httpx.Response | None:
    """Label Studio without the project."""
    is_there = request.url.path == "/api/version"
    return None if is_there else httpx.Response(404, json={"detail": "Not found."})
