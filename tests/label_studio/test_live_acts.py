"""What is done on the map, in a real Label Studio: whose annotations come out, undone, repeated, and never twice."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.data.edits import choose, set_aside
from ml_backend.engine.given_labels import GivenLabel, given_labels
from ml_backend.engine.schema import schema_of
from ml_backend.errors import LabelStudioRefused, PersonForbidden, PersonRefused
from ml_backend.label_studio import delivery
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.map_acts import Acted, MapActs
from ml_backend.label_studio.new_class import add_class
from ml_backend.label_studio.outbox import Outbox
from ml_backend.label_studio.people import People, SignedIn
from ml_backend.label_studio.reconcile import reconcile
from ml_backend.store import acts, outbox, projects, tasks
from ml_backend.store.tables import OutboxEntry, Project
from tests.label_studio.conftest import RICH_CONFIG, NothingPublished
from tests.label_studio.live import LiveLabelStudio, LiveLantern

pytestmark = pytest.mark.e2e

Json = dict[str, Any]


class Desk:
    """One connected project, the person who signed in, and the map's part of Lantern."""

    def __init__(self, label_studio: LiveLabelStudio, lantern: LiveLantern, title: str, n_tasks: int) -> None:
        self.label_studio, self.db = label_studio, lantern.db
        self.number = label_studio.make_project(title, RICH_CONFIG)
        connect(lantern.db, lantern.settings, project=self.number)
        self.task_ids = label_studio.import_tasks(self.number, [{"text": f"text {i}"} for i in range(n_tasks)])
        self.people = People(Connections(lantern.settings))
        self.who: SignedIn = self.people.check(self.row(), label_studio.personal_token)
        self.sender = Outbox(lantern.db)
        self.acts = MapActs(lantern.db, NothingPublished(), self.sender)
        self.uid = self.row().uid
        self.most_counted = 0
        self.wait_for(lambda: len(self.known()) == n_tasks)

    @property
    def api(self) -> LabelStudioApi:
        return self.label_studio.api()

    def row(self) -> Project:
        with self.db.read() as session:
            found = projects.by_label_studio_id(session, self.number)
        assert found is not None
        return found

    def known(self) -> list[int]:
        with self.db.read() as session:
            return tasks.live_ids(session, self.row())

    def given(self) -> list[GivenLabel]:
        with self.db.read() as session:
            return given_labels(session, self.row())

    def sent(self) -> None:
        """Until nothing waits; at every moment each task has one label at most."""

        def drained() -> bool:
            given = [label.task_id for label in self.given()]
            assert len(given) == len(set(given)), "a label is counted twice"
            with self.db.read() as session:
                return outbox.is_drained(session, self.row())

        self.wait_for(drained, 120.0)

    def wait_for(self, is_so: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.05)

    def there(self) -> dict[int, list[Json]]:
        """Annotations in Label Studio, by task."""
        return {task["id"]: task["annotations"] for task in self.api.full_tasks(self.number, self.task_ids)}

    def label(self, label: str, numbers: list[int], control: str = "c", **options: bool) -> Acted:
        return self.acts.label(self.uid, self.who, control, label, numbers, **options)

    def choices(self, task: int, control: str = "c") -> list[Any]:
        """What Label Studio has of a task's only annotation."""
        (annotation,) = self.there()[task]
        regions = [region for region in annotation["result"] if region["from_name"] == control]
        return [value for region in regions for value in region["value"][region["type"]]]


@pytest.fixture
def desk(label_studio: LiveLabelStudio, lantern: LiveLantern) -> Iterator[Desk]:
    made = Desk(label_studio, lantern, "acts", 40)
    yield made
    made.sender.stop()


def test_thirty_labels_become_the_person_s_annotations_and_undo_removes_them(desk: Desk) -> None:
    before = desk.row().labels_changed
    acted = desk.label("a", desk.task_ids[:30])
    assert len(desk.given()) == 30
    desk.sent()
    there = desk.there()
    owner = desk.api.whoami()["id"]
    assert [len(there[task]) for task in desk.task_ids] == [1] * 30 + [0] * 10
    assert {annotation["completed_by"] for given in there.values() for annotation in given} == {owner}
    assert desk.choices(desk.task_ids[3]) == ["a"]
    assert len(desk.given()) == 30
    assert desk.row().labels_changed == before + 30, "webhooks of what the map sent count again"
    reconcile(desk.db, desk.api, desk.uid)
    assert desk.row().labels_changed == before + 30

    desk.acts.undo(desk.uid, desk.who, acted.act.id)
    assert desk.given() == []
    desk.sent()
    assert all(given == [] for given in desk.there().values())
    desk.acts.redo(desk.uid, desk.who, acted.act.id)
    desk.sent()
    assert sum(len(given) for given in desk.there().values()) == len(desk.given()) == 30


def test_a_newer_label_changes_the_annotation_and_its_undo_brings_the_older_one_back(desk: Desk) -> None:
    first, second = desk.task_ids[0], desk.task_ids[1]
    own = desk.label_studio.annotate(first, "a")
    desk.wait_for(lambda: len(desk.given()) == 1)
    acted = desk.label("b", [first, second])
    desk.sent()
    assert desk.choices(first) == ["b"]
    assert desk.there()[first][0]["id"] == own
    desk.acts.undo(desk.uid, desk.who, acted.act.id)
    desk.sent()
    assert desk.choices(first) == ["a"]
    assert desk.there()[second] == []


def test_boxes_and_paths_are_stored_as_label_studio_stores_them(desk: Desk) -> None:
    task = desk.task_ids[0]
    desk.label("yes", [task], control="m/x")
    desk.label("A / B", [task], control="t")
    desk.label("y", [task], control="m")
    desk.label("no", [task], control="m/x")
    desk.sent()
    assert desk.choices(task, "m") == ["y"]
    assert desk.choices(task, "t") == [["A", "B"]]


def test_tasks_set_aside_are_skipped_in_label_studio_and_come_back(desk: Desk) -> None:
    skipped, labelled = desk.task_ids[0], desk.task_ids[1]
    desk.label("a", [labelled])
    desk.sent()
    acted = desk.acts.set_aside(desk.uid, desk.who, "never_seen", [skipped, labelled])
    desk.sent()
    there = desk.there()
    assert [(a["was_cancelled"], a["result"]) for t in (skipped, labelled) for a in there[t]] == [(True, [])] * 2
    with desk.db.read() as session:
        assert outbox.set_aside(session, desk.row()) == dict.fromkeys((skipped, labelled), "never_seen")
    desk.acts.undo(desk.uid, desk.who, acted.act.id)
    desk.sent()
    assert desk.there()[skipped] == []
    assert desk.choices(labelled) == ["a"]
    assert desk.there()[labelled][0]["was_cancelled"] is False


def test_a_label_whose_answer_was_lost_is_found_again(desk: Desk) -> None:
    """Also a skipped one, which Label Studio's list of a task's annotations leaves out."""
    for kind in ("label", "skip"):
        task = desk.task_ids[0] if kind == "label" else desk.task_ids[1]
        with desk.db.write() as session:
            entry = recorded(desk, session, task, kind)
            desk.who.api.create_annotation(task, {**(entry.wanted or {}), "unique_id": entry.unique_id})
        with pytest.raises(LabelStudioRefused, match="409"):
            desk.who.api.create_annotation(task, {**(entry.wanted or {}), "unique_id": entry.unique_id})
        desk.acts.go_on(desk.uid, desk.who)
        desk.sent()
        assert len(desk.there()[task]) == 1


def recorded(desk: Desk, session: Session, task: int, kind: str) -> OutboxEntry:
    """The entry of an act that nobody sends."""
    project = desk.row()
    edit = choose(schema_of(project).controls[0], "a") if kind == "label" else set_aside("skip")
    author, deed = acts.Author(desk.who.person.id, "x"), acts.Deed(kind, None, None, {"e": edit})
    acts.record(session, project, author, deed, [acts.Target(task, "e")], time.time())
    return session.scalars(select(OutboxEntry).where(OutboxEntry.task_id == task)).one()


def test_labels_of_others_stay_unless_they_are_overwritten(desk: Desk) -> None:
    task = desk.task_ids[0]
    body = {"email": f"{uuid.uuid4().hex[:8]}@lantern.test", "username": uuid.uuid4().hex[:8], "first_name": "B"}
    other = desk.api.client.send("POST", "/api/users/", json=body).body["id"]
    theirs = desk.label_studio.annotate(task, "a", completed_by=other)
    desk.wait_for(lambda: len(desk.given()) == 1)
    assert desk.label("b", [task, desk.task_ids[1]]).kept == 1
    desk.sent()
    assert desk.choices(task) == ["a"]
    acted = desk.label("b", [task], overwrite=True)
    desk.sent()
    assert desk.choices(task) == ["b"]
    assert [(a["id"], a["completed_by"]) for a in desk.there()[task]] == [(theirs, other)]
    desk.acts.undo(desk.uid, desk.who, acted.act.id)
    desk.sent()
    assert desk.choices(task) == ["a"]


@pytest.mark.parametrize("told", [True, False])
def test_what_the_person_does_in_label_studio_while_a_label_waits_stays(
    desk: Desk, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the webhooks are lost: the sender looks."""
    edited, submitted, skipped = desk.task_ids[:3]
    own = desk.label_studio.annotate(edited, "a")
    desk.wait_for(lambda: len(desk.given()) == 1)
    desk.acts._sender = _Asleep()
    desk.label("b", [edited, submitted, skipped])
    if not told:
        monkeypatch.setattr(delivery, "LONG_SECONDS", 0.0)
        for hook in desk.api.webhooks(desk.number):
            desk.api.delete_webhook(int(hook["id"]))
    path = {"from_name": "t", "to_name": "text", "type": "taxonomy", "value": {"taxonomy": [["A", "B"]]}}
    (before,) = desk.there()[edited]
    desk.api.update_annotation(own, {"result": [*before["result"], path]})
    desk.label_studio.annotate(submitted, "a")
    desk.label_studio.annotate(skipped, "a", was_cancelled=True)
    desk.acts._sender = desk.sender
    desk.acts.go_on(desk.uid, desk.who)
    desk.sent()
    assert (desk.choices(edited), desk.choices(edited, "t")) == (["b"], [["A", "B"]])
    assert desk.choices(submitted) == ["a"], "the newer answer"
    assert [one["was_cancelled"] for one in desk.there()[skipped]] == [True]
    assert len(desk.given()) == 2


def test_a_task_that_is_gone_is_said_and_the_others_go_on(desk: Desk) -> None:
    gone, there = desk.task_ids[:2]
    desk.acts._sender = _Asleep()
    desk.label("a", [gone, there])
    desk.api.client.send("DELETE", f"/api/tasks/{gone}/")
    desk.acts._sender = desk.sender
    desk.acts.go_on(desk.uid, desk.who)
    desk.sent()
    (acted,) = desk.acts.list_newest(desk.uid, 10)
    assert (acted.progress.sent, acted.progress.failed) == (1, 1)
    assert "no longer in Label Studio" in str(acted.progress.error)
    assert [label.task_id for label in desk.given()] == [there]


class _Asleep:
    def wake(self, *_: object) -> None:
        """Sends nothing."""


def test_a_class_is_added_in_label_studio(desk: Desk) -> None:
    assert add_class(desk.db, desk.row(), desk.who, "c", 'new & "odd"') == ("a", "b", 'new & "odd"')
    desk.label('new & "odd"', desk.task_ids[:1])
    desk.sent()
    assert desk.choices(desk.task_ids[0]) == ['new & "odd"']
    assert 'new &amp; "odd"' in desk.api.project(desk.number)["label_config"]


def test_who_may_write(desk: Desk, lantern: LiveLantern) -> None:
    with pytest.raises(PersonRefused, match="does not take this token"):
        desk.people.check(desk.row(), "f" * 40)
    assert desk.people.check(desk.row(), desk.label_studio.legacy_token).person == desk.who.person
    elsewhere = desk.row()
    elsewhere.label_studio_id, elsewhere.uid = 99_999, "99999.5"
    with pytest.raises(PersonForbidden, match="no access"):
        People(Connections(lantern.settings)).check(elsewhere, desk.label_studio.legacy_token)
