"""When predictions are pushed: after labels, trainings and pauses, and not too often."""

from __future__ import annotations

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio import duties
from ml_backend.label_studio import push as push_module
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.duties import CleanDuty, PushDuty
from ml_backend.store import projects, pushes, tasks
from ml_backend.store.database import Database
from tests.label_studio.conftest import UID, publish
from tests.label_studio.duties.conftest import HOURS, Clock, label, train
from tests.label_studio.fake import FakeLabelStudio


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


def enough_labels_after_a_push(db: Database, push: PushDuty, clock: Clock, settings: Settings) -> None:
    """So many that a training is due."""
    publish(db)
    push.run(UID)
    clock.now += 100
    label(db, clock, settings.start_training_each_n_updates)


def test_a_push_waits_for_the_training_that_would_make_it_a_waste(
    db: Database, push: PushDuty, clock: Clock, settings: Settings
) -> None:
    enough_labels_after_a_push(db, push, clock, settings)
    assert not push.due(UID)
    clock.now += settings.push_interval_seconds
    assert push.due(UID), "a training that never comes holds nothing up"


def test_people_who_label_without_a_pause_hold_no_push_up(
    db: Database, push: PushDuty, clock: Clock, settings: Settings
) -> None:
    enough_labels_after_a_push(db, push, clock, settings)
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


def test_a_clock_that_is_put_back_holds_up_no_push(db: Database, push: PushDuty, clock: Clock) -> None:
    publish(db)
    push.run(UID)
    clock.back = HOURS
    label(db, clock)
    assert push.due(UID)
    push.run(UID)
    label(db, clock)
    assert not push.due(UID)
