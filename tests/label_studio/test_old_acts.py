"""The history of the map does not grow for ever, and forgetting loses no label and no undo that people still reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update

from ml_backend.config import Settings
from ml_backend.engine.old_acts_duty import OldActsDuty
from ml_backend.label_studio.map_acts import Acted
from ml_backend.store import old_acts, outbox
from ml_backend.store.database import Database
from ml_backend.store.tables import Act, ActItem, Base, OutboxEntry
from tests.label_studio.conftest import UID
from tests.label_studio.desk import Desk


@pytest.fixture
def desk(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(old_acts, "KEPT_ACTS", 1)
    monkeypatch.setattr(old_acts, "AT_ONCE", 2)
    made = Desk(db, settings)
    yield made
    made.close()


def long_ago(desk: Desk, *acted: Acted) -> None:
    with desk.db.write() as session:
        session.execute(update(Act).where(Act.id.in_([one.act.id for one in acted])).values(created_at=1.0))


def forget(desk: Desk) -> bool:
    """Whether there was anything to forget."""
    duty = OldActsDuty(desk.db)
    due = duty.due(UID)
    if due:
        duty.run(UID)
        assert not duty.due(UID)
    return due


def kept(desk: Desk) -> list[int]:
    return [one.act.id for one in desk.acts.list_newest(UID, 50)]


def rows(desk: Desk, table: type[Base]) -> int:
    with desk.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_old_acts_go_and_their_labels_stay(desk: Desk) -> None:
    old = [desk.label("a", [1, 2, 3]), desk.label("b", [4])]
    new = [desk.label("a", [5]), desk.label("b", [6])]
    desk.sent()
    given, there = desk.labels(), desk.fake.labels()
    assert not forget(desk), "they are young"
    long_ago(desk, *old)
    assert forget(desk)
    assert kept(desk) == [new[1].act.id, new[0].act.id]
    assert (rows(desk, ActItem), rows(desk, OutboxEntry)) == (2, 2)
    assert (desk.labels(), desk.fake.labels()) == (given, there)
    desk.label("b", [1])
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {**there, 1: ["b"]}
    assert len(desk.fake.annotations) == 6, "none was made twice"


def test_undo_of_a_newer_act_brings_back_what_the_forgotten_one_said(desk: Desk) -> None:
    first, undone, newer = desk.label("a", [1, 2]), desk.label("b", [1]), desk.label("b", [1, 2])
    desk.undo(undone)
    desk.sent()
    long_ago(desk, first, undone)
    assert forget(desk)
    assert kept(desk) == [newer.act.id]
    desk.undo(newer)
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["a"], 2: ["a"]}
    desk.redo(newer)
    desk.sent()
    assert desk.fake.labels() == {1: ["b"], 2: ["b"]}


def test_the_newest_are_kept_however_old_they_are(desk: Desk) -> None:
    old = [desk.label("a", [1]), desk.label("b", [2])]
    desk.sent()
    long_ago(desk, *old)
    assert forget(desk)
    assert kept(desk) == [old[1].act.id]
    desk.undo(old[1])
    desk.sent()
    assert desk.fake.labels() == {1: ["a"]}


def test_what_was_not_sent_is_kept_until_it_is(desk: Desk) -> None:
    desk.asleep = True
    old = desk.label("a", [1, 2])
    new = desk.label("b", [2])
    long_ago(desk, old)
    with desk.db.write() as session:
        entries = outbox.claim(session, desk.row(), 1, "nobody", 1, 0.0, 1e10)
        outbox.fail(session, desk.row(), entries[0].id, "refused", 1e10)
    forget(desk)
    assert kept(desk) == [new.act.id, old.act.id]
    desk.asleep = False
    assert desk.acts.retry(UID, desk.who()) == 1
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["a"], 2: ["b"]}
    forget(desk)
    assert kept(desk) == [new.act.id]


def test_why_a_task_was_set_aside_is_not_forgotten(desk: Desk) -> None:
    old = desk.acts.set_aside(UID, desk.who(), "unsure", [1])
    desk.label("a", [2])
    desk.sent()
    long_ago(desk, old)
    assert forget(desk)
    with desk.db.read() as session:
        assert outbox.set_aside(session, desk.row()) == {1: "unsure"}
    desk.label("b", [1])
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["b"], 2: ["a"]}
