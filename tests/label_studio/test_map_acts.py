"""Acts on the map: what counts at once, what stays, what comes back. Nothing waits here for real."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_backend.config import Settings
from ml_backend.engine.given_labels import GivenLabel
from ml_backend.errors import ConflictError, InputError, PersonForbidden
from ml_backend.store import outbox, projects
from ml_backend.store.database import Database
from tests.label_studio.conftest import UID
from tests.label_studio.desk import Desk
from tests.label_studio.fake_people import BOB


@pytest.fixture
def desk(db: Database, settings: Settings) -> Iterator[Desk]:
    made = Desk(db, settings)
    yield made
    made.close()


@pytest.fixture
def still(db: Database, settings: Settings) -> Desk:
    """Nothing is sent."""
    return Desk(db, settings, asleep=True)


def test_labels_count_at_once_and_once_they_are_sent_just_as_much(desk: Desk) -> None:
    desk.tell_before_answering()
    before = desk.row()
    acted = desk.label("a", range(1, 16))
    assert acted.progress.total == 15
    wanted: dict[int | None, list[str]] = {task: ["a"] for task in range(1, 16)}
    desk.until(lambda: desk.labels() == wanted and desk.counts().waiting == 0)
    assert desk.fake.labels() == wanted
    assert set(desk.fake.of(1)) == set(wanted)
    assert desk.row().labels_changed == before.labels_changed + 15, "its own webhooks count again"
    assert not any(label.pending for label in desk.given())


def test_the_version_moves_when_nothing_waits_any_more_but_no_training_comes_nearer(desk: Desk) -> None:
    desk.label("a", [1])
    version, changed = desk.row().labels_version, desk.row().labels_changed
    desk.sent()
    assert (desk.row().labels_version, desk.row().labels_changed) == (version + 1, changed)


def test_a_newer_label_replaces_the_older_one_and_comes_off_again(still: Desk) -> None:
    first = still.label("a", [1, 2])
    second = still.label("b", [2, 3])
    assert still.labels() == {1: ["a"], 2: ["b"], 3: ["b"]}
    still.undo(second)
    assert still.labels() == {1: ["a"], 2: ["a"]}
    still.redo(second)
    still.undo(first)
    assert still.labels() == {2: ["b"], 3: ["b"]}
    assert still.counts().waiting == 2


def test_what_was_never_sent_is_undone_without_a_call(still: Desk) -> None:
    still.undo(still.label("a", [1, 2]))
    assert still.counts().waiting == 0
    assert still.given() == []


def test_an_annotation_made_in_label_studio_is_changed_and_given_back(desk: Desk) -> None:
    box = {"from_name": "box", "to_name": "text", "type": "labels", "value": {"labels": ["x"]}}
    made = desk.fake.annotate(7, 1, "a")
    made["result"].append(box)
    desk.webhook("ANNOTATION_CREATED", annotation=made)
    acted = desk.label("b", [1, 2])
    assert desk.labels() == {1: ["b"], 2: ["b"]}
    desk.sent()
    assert (set(desk.fake.annotations), desk.fake.labels()[1]) == ({7, 1001}, ["b"])
    assert box in desk.fake.annotations[7]["result"]
    desk.undo(acted)
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["a"]}


def test_labels_of_others_stay_unless_they_are_overwritten(desk: Desk) -> None:
    desk.webhook("ANNOTATION_CREATED", annotation=desk.fake.annotate(7, 1, "a", completed_by=2))
    other_question = [{"from_name": "t", "to_name": "text", "type": "taxonomy", "value": {"taxonomy": [["A"]]}}]
    made = desk.fake.annotate(8, 2, "a", completed_by=2, result=other_question)
    desk.webhook("ANNOTATION_CREATED", annotation=made)
    assert desk.label("b", [1, 2, 3]).kept == 1
    assert {label.task_id: label.annotator for label in desk.given() if label.pending} == {2: "1", 3: "1"}
    acted = desk.label("b", [1], overwrite=True)
    desk.sent()
    assert (desk.fake.annotations[7]["completed_by"], desk.fake.labels()[1]) == (2, ["b"])
    desk.undo(acted)
    desk.sent()
    assert desk.fake.labels()[1] == ["a"]
    with pytest.raises(ConflictError, match="of other people"):
        desk.label("b", [1])


def test_an_annotation_that_is_deleted_while_it_is_overwritten_is_made_in_the_person_s_own_name(
    still: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    still.webhook("ANNOTATION_CREATED", annotation=still.fake.annotate(7, 1, "a", completed_by=2))
    look = still.acts._of_others

    def deleted_since(*args: Any) -> dict[int, list[GivenLabel]]:
        found = look(*args)
        still.webhook("ANNOTATIONS_DELETED", annotations=[{"id": 7}])
        return found

    monkeypatch.setattr(still.acts, "_of_others", deleted_since)
    assert still.label("b", [1, 2], overwrite=True).progress.total == 2
    assert {label.task_id: label.annotator for label in still.given()} == {1: "1", 2: "1"}


def test_what_another_person_has_waiting_stays_too(still: Desk) -> None:
    still.label("a", [1], token=BOB)
    assert still.label("b", [1, 2], overwrite=True).kept == 1
    assert still.labels() == {1: ["a"], 2: ["b"]}


def test_what_was_changed_in_label_studio_since_is_left_alone(desk: Desk) -> None:
    acted = desk.label("a", [1, 2, 3])
    desk.sent()
    changed, deleted = (desk.fake.of(1)[task]["id"] for task in (1, 2))
    edited = desk.fake.annotate(changed, 1, "b", updated_at=desk.fake.now())
    desk.webhook("ANNOTATION_UPDATED", annotation=edited)
    del desk.fake.annotations[deleted]
    desk.webhook("ANNOTATIONS_DELETED", annotations=[{"id": deleted}])
    assert desk.undo(acted).kept == 2
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}
    again = desk.label("a", [1, 2])
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["a"], 2: ["a"]}
    desk.undo(again)
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}


def test_what_was_only_saved_again_in_label_studio_s_editor_is_undone_as_ever(desk: Desk) -> None:
    acted = desk.label("a", [1, 2])
    desk.sent()
    made = desk.fake.of(1)[1]
    made |= {"result": [{**region, "origin": "manual"} for region in made["result"]], "updated_at": desk.fake.now()}
    desk.webhook("ANNOTATION_UPDATED", annotation=made)
    assert desk.undo(acted).kept == 0
    desk.sent()
    assert desk.fake.annotations == {}
    assert desk.labels() == {}


@pytest.mark.parametrize("kind", ["skip", "unsure", "never_seen"])
def test_tasks_set_aside_are_no_labels_and_say_why(desk: Desk, kind: str) -> None:
    desk.label("a", [1])
    desk.sent()

    def aside() -> dict[int, str]:
        with desk.db.read() as session:
            return outbox.set_aside(session, desk.row())

    desk.asleep = True
    acted = desk.acts.set_aside(UID, desk.who(), kind, [1, 2])
    assert (desk.labels(), aside()) == ({}, {1: kind, 2: kind})
    desk.asleep = False
    desk.acts.go_on(UID, desk.who())
    desk.sent()
    assert [(a["was_cancelled"], a["result"]) for a in desk.fake.annotations.values()] == [(True, [])] * 2
    assert (desk.labels(), aside()) == ({}, {1: kind, 2: kind})
    desk.label("b", [2])
    assert aside() == {1: kind}
    desk.sent()
    desk.undo(acted)
    desk.sent()
    assert (desk.fake.labels(), aside()) == ({1: ["a"], 2: ["b"]}, {})


def test_a_skip_in_label_studio_is_set_aside_too(still: Desk) -> None:
    still.webhook("ANNOTATION_CREATED", annotation=still.fake.annotate(7, 1, "a", was_cancelled=True, completed_by=2))
    with still.db.read() as session:
        assert outbox.set_aside(session, still.row()) == {1: "skip"}


def test_one_choice_of_many_is_answered_with_yes_and_no(still: Desk) -> None:
    still.label("yes", [1], control="m/x")
    still.label("y", [1], control="m")
    still.label("no", [1], control="m/x")
    (label,) = still.given()
    assert [region["value"] for region in label.result] == [{"choices": ["y"]}]
    with pytest.raises(InputError, match="yes or no"):
        still.label("maybe", [1], control="m/x")


def test_only_the_same_person_undoes_and_only_once(still: Desk) -> None:
    acted = still.label("a", [1])
    with pytest.raises(PersonForbidden, match="Ann Lee did this"):
        still.undo(acted, token=BOB)
    with pytest.raises(ConflictError, match="done already"):
        still.redo(acted)
    still.undo(acted)
    with pytest.raises(ConflictError, match="undone already"):
        still.undo(acted)
    with pytest.raises(InputError, match="no act 99"):
        still.acts.undo(UID, still.who(), 99)


def test_what_cannot_be_labelled_is_said(still: Desk) -> None:
    for control, label in (("gone", "a"), ("c", "gone"), ("m", "gone"), ("t", "B")):
        with pytest.raises(InputError):
            still.label(label, [1], control=control)
    with pytest.raises(ConflictError, match="none of these tasks"):
        still.label("a", [999])
    assert still.label("a", [1, 999]).progress.total == 1
    with pytest.raises(InputError, match="no kind of act"):
        still.acts.set_aside(UID, still.who(), "party", [1])


def test_the_last_acts_are_listed_newest_first(desk: Desk) -> None:
    desk.label("a", [1, 2])
    desk.acts.set_aside(UID, desk.who(), "skip", [3])
    desk.sent()
    found = desk.acts.list_newest(UID, 10)
    assert [(a.act.kind, a.act.label, a.progress.sent, a.act.person_name) for a in found] == [
        ("skip", None, 1, "Ann Lee"),
        ("label", "a", 2, "Ann Lee"),
    ]
    assert len(desk.acts.list_newest(UID, 1)) == 1


def test_nobody_labels_in_a_project_that_was_disconnected(still: Desk) -> None:
    still.label("a", [1])
    with still.db.write() as session:
        row = still.row()
        projects.configure(session, row, connection={**row.connection, "connected": False})
    with pytest.raises(ConflictError, match="not connected"):
        still.label("a", [2])
    assert still.counts().waiting == 1
