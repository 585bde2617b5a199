"""When projects are compared with Label Studio."""

from __future__ import annotations

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.duties import ReconcileDuty
from ml_backend.store import projects
from ml_backend.store.database import Database
from tests.label_studio.conftest import UID
from tests.label_studio.duties.conftest import HOURS, Clock
from tests.label_studio.fake import FakeLabelStudio


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
