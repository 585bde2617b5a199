"""What does not answer, is refused or is gone: how long it waits, and who else waits with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.duties import PushDuty, ReconcileDuty
from ml_backend.label_studio.service import LanternService
from ml_backend.store import projects
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID, FakeEngine, project_row, publish
from tests.label_studio.duties.conftest import Clock, gone
from tests.label_studio.fake import FakeLabelStudio


def test_nothing_is_due_without_token_address_or_after_disconnect(
    db: Database, settings: Settings, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    publish(db)

    def due(wanted: Settings) -> list[bool]:
        connections = Connections(wanted)
        push_duty = PushDuty(db, wanted, connections, engine)
        return [duty.due(UID) for duty in (ReconcileDuty(db, wanted, connections), push_duty)]

    assert due(settings) == [True, True]
    assert due(replace(settings, label_studio_api_key=None)) == [False, False]
    assert due(replace(settings, label_studio_url=None)) == [False, False]
    with db.write() as session:
        projects.configure(session, projects.ensure(session, UID), connection={"connected": False})
    assert due(settings) == [False, False]


def test_failures_wait_longer_each_time_and_are_told(
    db: Database, push: PushDuty, clock: Clock, fake: FakeLabelStudio
) -> None:
    publish(db)

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    fake.before = down
    waits = []
    for _ in range(9):
        assert push.due(UID)
        push.run(UID)
        before = clock.now
        while not push.due(UID):
            clock.now += 1
        waits.append(clock.now - before)
    assert waits == [2, 4, 8, 16, 32, 64, 120, 120, 120]
    assert "refused" in project_row(db).connection["errors"]["push"]
    fake.before = None
    push.run(UID)
    assert project_row(db).connection["errors"] == {}


def test_a_label_studio_that_does_not_answer_is_asked_once_by_all_projects_and_duties(
    db: Database, settings: Settings, clock: Clock, fake: FakeLabelStudio, engine: FakeEngine
) -> None:
    other, elsewhere = "4.1795388054", "5.1795388054"
    with db.write() as session:
        projects.configure(session, projects.ensure(session, other), label_config=CONFIG)
        connection = {"url": "http://other.test", "token": "1" * 40}
        projects.configure(session, projects.ensure(session, elsewhere), connection=connection)
    connections = Connections(settings)
    reconciling, pushing = ReconcileDuty(db, settings, connections), PushDuty(db, settings, connections, engine)
    publish(db)

    def hangs(request: httpx.Request) -> None:
        clock.now += 60
        raise httpx.ReadTimeout("nothing", request=request)

    fake.before = hangs
    reconciling.run(UID)
    assert not any(duty.due(uid) for duty in (reconciling, pushing) for uid in (UID, other))
    assert reconciling.due(elsewhere)
    clock.now += 59
    assert not pushing.due(UID), "as long as the failure took"
    clock.now += 2
    assert pushing.due(UID)
    fake.before = None
    pushing.run(UID)
    assert reconciling.due(UID)
    reconciling.run(UID)
    assert project_row(db).connection["errors"] == {}


def test_a_project_that_is_gone_is_let_go(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock
) -> None:
    fake.before = gone
    ReconcileDuty(db, settings, Connections(settings)).run(UID)
    assert project_row(db).deleted


@pytest.mark.parametrize(
    "page",
    [
        {"text": "404 page not found\n", "headers": {"content-type": "text/plain"}},
        {"json": {"message": "no route"}},
        {"json": {"detail": "Not found."}},
    ],
    ids=["text", "json", "detail"],
)
def test_what_a_proxy_says_while_label_studio_restarts_lets_no_project_go(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock, page: dict[str, Any]
) -> None:
    duty = ReconcileDuty(db, settings, Connections(settings))
    fake.before = lambda request: httpx.Response(404, **page)
    duty.run(UID)
    assert not project_row(db).deleted
    fake.before = None
    clock.now += 2
    assert duty.due(UID)
    duty.run(UID)
    assert project_row(db).connection["errors"] == {}


def test_a_project_that_was_let_go_is_worked_on_again_when_label_studio_tells_of_it(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock, service: LanternService
) -> None:
    duty = ReconcileDuty(db, settings, Connections(settings))
    fake.before = gone
    duty.run(UID)
    assert not duty.due(UID)
    project = {"id": 3, "created_at": fake.project["created_at"]}
    service.webhook({"action": "PROJECT_DELETED", "project": project})
    assert project_row(db).deleted
    fake.before = None
    service.webhook({"action": "ANNOTATION_CREATED", "project": project, "annotation": fake.annotate(5, 1, "a")})
    clock.now += 10
    assert duty.due(UID)


def test_a_404_that_is_not_label_studios_lets_no_project_go_where_it_answers_itself(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock
) -> None:
    fake.before = lambda r: None if r.url.path == "/api/version" else httpx.Response(404, text="404 page not found")
    ReconcileDuty(db, settings, Connections(settings)).run(UID)
    assert not project_row(db).deleted
