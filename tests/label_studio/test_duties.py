"""When the worker reconciles, pushes and cleans; how failures wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.errors import LabelStudioUnreachable
from ml_backend.label_studio import cleaning, duties, waits
from ml_backend.label_studio import push as push_module
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.duties import CleanDuty, PushDuty, ReconcileDuty
from ml_backend.label_studio.service import LanternService
from ml_backend.store import projects, pushes, runs, tasks
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID, FakeEngine, project_row, publish
from tests.label_studio.fake import FakeLabelStudio

START = 1_000_000.0


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


def test_the_first_publication_is_pushed_and_then_all_is_quiet(db: Database, push: PushDuty) -> None:
    assert not push.due(UID)
    publish(db)
    assert push.due(UID)
    push.run(UID)
    assert not push.due(UID)


def test_labels_wait_for_the_interval(db: Database, push: PushDuty, clock: Clock) -> None:
    publish(db)
    push.run(UID)
    label(db, clock)
    assert not push.due(UID)
    clock.now += 59
    assert not push.due(UID)
    clock.now += 2
    assert push.due(UID)


def test_a_training_is_pushed_at_once(db: Database, push: PushDuty, clock: Clock) -> None:
    publish(db)
    push.run(UID)
    train(db)
    assert push.due(UID)
    push.run(UID)
    assert not push.due(UID)


def test_a_push_waits_for_the_training_that_would_make_it_a_waste(
    db: Database, push: PushDuty, clock: Clock, settings: Settings
) -> None:
    publish(db)
    push.run(UID)
    clock.now += 100
    label(db, clock, settings.start_training_each_n_updates)
    assert not push.due(UID)
    clock.now += settings.push_interval_seconds
    assert push.due(UID), "a training that never comes holds nothing up"


def test_people_who_label_without_a_pause_hold_no_push_up(
    db: Database, push: PushDuty, clock: Clock, settings: Settings
) -> None:
    publish(db)
    push.run(UID)
    clock.now += 100
    label(db, clock, settings.start_training_each_n_updates)
    began = clock.now
    while not push.due(UID):
        assert clock.now < began + 3600, "nothing is pushed while people label"
        clock.now += 4
        label(db, clock)
    assert clock.now == began + settings.push_interval_seconds


def test_a_slow_push_is_repeated_ten_times_slower(db: Database, push: PushDuty, clock: Clock) -> None:
    publish(db)
    with db.write() as session:
        project = projects.ensure(session, UID)
        slow = pushes.start(session, project, model_version="lantern-test-1", now=clock.now, publication_number=1)
        pushes.progress(session, slow, sent=30_000, created=30_000)
        pushes.finish(session, slow, clock.now + 60)
    label(db, clock)
    clock.now += 60 + 599
    assert not push.due(UID)
    clock.now += 2
    assert push.due(UID)


def test_a_push_that_waited_out_an_outage_did_not_take_that_long(db: Database, push: PushDuty, clock: Clock) -> None:
    publish(db)
    with db.write() as session:
        project = projects.ensure(session, UID)
        waited = pushes.start(session, project, model_version="lantern-test-1", now=clock.now, publication_number=1)
        pushes.progress(session, waited, sent=3, created=3)
        pushes.finish(session, waited, clock.now + 7200)
    label(db, clock)
    clock.now += 7200 + 61
    assert push.due(UID)


def test_too_many_old_versions_hold_pushes_back_but_not_after_a_training(
    db: Database, push: PushDuty, clock: Clock
) -> None:
    publish(db)
    push.run(UID)
    with db.write() as session:
        newest = pushes.newest(session, projects.ensure(session, UID))
        assert newest is not None
        pushes.set_old_versions(session, newest, ["a", "b", "c", "d"])
    label(db, clock)
    clock.now += 1000
    assert not push.due(UID)
    train(db)
    assert push.due(UID)
    with db.write() as session:
        newest = pushes.newest(session, projects.ensure(session, UID))
        assert newest is not None
        newest.old_versions = [str(n) for n in range(13)]
        newest.finished_at = clock.now - 60
    assert not push.due(UID), "each version is as large as the project"
    clock.now += 600
    assert push.due(UID)


def test_an_unfinished_push_is_due_at_once(db: Database, push: PushDuty, clock: Clock) -> None:
    publish(db)
    with db.write() as session:
        project = projects.ensure(session, UID)
        pushes.start(
            session, project, model_version="lantern-test-1", now=clock.now, labels_version=project.labels_version
        )
    assert push.due(UID)


def test_pushes_that_break_off_while_people_label_do_not_pile_up(
    db: Database,
    push: PushDuty,
    clock: Clock,
    fake: FakeLabelStudio,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(push_module, "SMALLEST_BATCH", 2)
    publish(db)

    def second_fails(request: httpx.Request) -> None:
        if request.url.path.endswith("/import/predictions") and b'"task":1,' not in request.content:
            raise httpx.ConnectError("refused", request=request)

    fake.before = second_fails
    for _ in range(200):
        label(db, clock)
        clock.now += 20
        if push.due(UID):
            push.run(UID)
    assert 1 < len(fake.versions()) <= duties.MAX_OLD_VERSIONS + 2
    fake.before = None
    clean = CleanDuty(db, settings, Connections(settings))
    for _ in range(20):
        clock.now += 100
        for duty in (push, clean):
            if duty.due(UID):
                duty.run(UID)
    assert list(fake.versions()) == [fake.project["model_version"]]


def test_a_project_without_tasks_is_not_asked_about_again_and_again(
    db: Database, push: PushDuty, clock: Clock, fake: FakeLabelStudio
) -> None:
    publish(db)
    with db.write() as session:
        tasks.delete_many(session, projects.ensure(session, UID), [1, 2, 3])
    assert push.due(UID)
    push.run(UID)
    assert not push.due(UID)
    clock.now += 61
    assert push.due(UID)
    assert not fake.predictions


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


def gone(request: httpx.Request) -> httpx.Response | None:
    """Label Studio without the project."""
    is_there = request.url.path == "/api/version"
    return None if is_there else httpx.Response(404, json={"detail": "Not found."})


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


def test_reconcile_at_first_then_on_request_then_periodically(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_backend.label_studio.reconcile.time", clock)
    duty = ReconcileDuty(db, settings, Connections(settings))
    assert duty.due(UID)
    duty.run(UID)
    assert not duty.due(UID)
    clock.now += settings.reconcile_seconds - 1
    assert not duty.due(UID)
    with db.write() as session:
        projects.request_reconcile(session, projects.ensure(session, UID), clock.now)
    assert duty.due(UID)
    clock.now += 1
    duty.run(UID)
    assert not duty.due(UID)
    clock.now += settings.reconcile_seconds + 1
    assert duty.due(UID)


def test_what_was_missed_while_nothing_ran_is_looked_for_after_a_start(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock
) -> None:
    ReconcileDuty(db, settings, Connections(settings)).run(UID)
    started = ReconcileDuty(db, settings, Connections(settings))
    assert started.due(UID)
    started.run(UID)
    assert not started.due(UID)


def test_a_slow_reconcile_is_repeated_twenty_times_slower(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_backend.label_studio.reconcile.time", clock)
    duty = ReconcileDuty(db, settings, Connections(settings))

    def slow(request: httpx.Request) -> None:
        clock.now += 100

    fake.before = slow
    started = clock.now
    duty.run(UID)
    seconds = clock.now - started
    clock.now = started + 20 * seconds - 1
    assert not duty.due(UID)
    clock.now += 2
    assert duty.due(UID)


def test_cleaning_stands_the_loss_of_the_only_project(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock, clean: CleanDuty
) -> None:
    fake.before = gone
    ReconcileDuty(db, settings, Connections(settings)).run(UID)
    assert not clean.due(UID)
    clean.run(UID)
    assert project_row(db).deleted


@pytest.fixture
def clean(db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock, push: PushDuty) -> CleanDuty:
    """Two versions in Label Studio, the first of them replaced."""
    publish(db)
    push.run(UID)
    train(db)
    push.run(UID)
    assert set(fake.versions()) == {"lantern-test-1", "lantern-test-2"}
    return CleanDuty(db, settings, Connections(settings))


def test_cleaning_waits_for_quiet(db: Database, fake: FakeLabelStudio, clock: Clock, clean: CleanDuty) -> None:
    label(db, clock)
    clock.now += 4
    assert not clean.due(UID)
    clock.now += 2
    assert clean.due(UID)
    clean.run(UID)
    assert set(fake.versions()) == {"lantern-test-2"}
    clock.now += 1000
    assert not clean.due(UID)


def test_a_large_version_is_nibbled_at_until_it_has_been_quiet_for_twice_its_time(
    db: Database, fake: FakeLabelStudio, clock: Clock, clean: CleanDuty
) -> None:
    old = [{"id": 1000 + i, "task": 1, "score": 0.1, "model_version": "lantern-test-1"} for i in range(4000)]
    fake.predictions += old
    label(db, clock)
    clock.now += 30
    clean.run(UID)
    assert fake.versions()["lantern-test-1"] == 4003 - cleaning.NIBBLE
    assert not any(call.startswith("DELETE /api/projects") for call in fake.calls), "20 s of lock after 30 s of quiet"
    fake.predictions += old
    clock.now += 60
    clean.run(UID)
    assert any(call.startswith("DELETE /api/projects") for call in fake.calls)


def test_unreachable_while_cleaning_loses_nothing(
    db: Database, fake: FakeLabelStudio, clock: Clock, clean: CleanDuty
) -> None:
    clock.now += 10

    def down(request: httpx.Request) -> Any:
        raise LabelStudioUnreachable("down")

    fake.before = down
    clean.run(UID)
    fake.before = None
    clock.now += 10
    assert clean.due(UID)
    clean.run(UID)
    assert set(fake.versions()) == {"lantern-test-2"}


HOURS = 3 * 3600.0


def test_a_clock_that_is_put_back_holds_up_no_reconcile(
    db: Database, settings: Settings, fake: FakeLabelStudio, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_backend.label_studio.reconcile.time", clock)
    monkeypatch.setattr(projects, "time", clock)
    duty = ReconcileDuty(db, settings, Connections(settings))
    duty.run(UID)
    with db.write() as session:
        projects.request_reconcile(session, projects.ensure(session, UID))
    clock.back = HOURS
    clock.now += 2
    assert duty.due(UID)
    duty.run(UID)
    clock.now += 10
    assert not duty.due(UID), "what was asked for before is done"
    clock.now += settings.reconcile_seconds
    assert duty.due(UID)


def test_a_clock_that_is_put_back_holds_up_no_push(db: Database, push: PushDuty, clock: Clock) -> None:
    publish(db)
    push.run(UID)
    clock.back = HOURS
    label(db, clock)
    assert push.due(UID)
    push.run(UID)
    label(db, clock)
    assert not push.due(UID)


def test_a_clock_that_is_put_back_holds_up_no_cleaning(
    db: Database, fake: FakeLabelStudio, clock: Clock, clean: CleanDuty
) -> None:
    label(db, clock)
    clock.back = HOURS
    assert clean.due(UID)
    clean.run(UID)
    assert set(fake.versions()) == {"lantern-test-2"}
