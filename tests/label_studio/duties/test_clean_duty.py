"""When replaced versions are deleted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.errors import LabelStudioUnreachable
from ml_backend.label_studio import cleaning
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.duties import CleanDuty, PushDuty, ReconcileDuty
from ml_backend.store.database import Database
from tests.label_studio.conftest import UID, project_row, publish
from tests.label_studio.duties.conftest import HOURS, Clock, gone, label, train
from tests.label_studio.fake import FakeLabelStudio


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


def test_a_clock_that_is_put_back_holds_up_no_cleaning(
    db: Database, fake: FakeLabelStudio, clock: Clock, clean: CleanDuty
) -> None:
    label(db, clock)
    clock.back = HOURS
    assert clean.due(UID)
    clean.run(UID)
    assert set(fake.versions()) == {"lantern-test-2"}
