"""Webhooks: every row of Label Studio's table, the odd ones, and that neither order nor repetition matters."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_backend.errors import InputError
from ml_backend.label_studio.events import Recorded, read_event, record_event
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Project
from tests.label_studio.conftest import CONFIG, UID, project_row

PROJECT = {
    "id": 3,
    "created_at": "2026-11-22T22:54:14.296374Z",
    "label_config": CONFIG,
    "title": "rec",
    "token": "SECRET",
}
NOW = 1_795_400_000.0


def choice(label: str) -> list[dict[str, Any]]:
    return [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]


def annotated(
    number: int = 23, label: str = "a", second: int = 0, action: str = "ANNOTATION_UPDATED", **changes: Any
) -> dict[str, Any]:
    annotation = {
        "id": number,
        "result": choice(label),
        "task": 6001,
        "completed_by": 1,
        "was_cancelled": False,
        "updated_at": f"2026-11-22T22:55:{second:02}Z",
        **changes,
    }
    return {"action": action, "annotation": annotation, "task": {"id": 6001, "data": {"text": "t"}}, "project": PROJECT}


def deleted(*numbers: int) -> dict[str, Any]:
    return {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": n} for n in numbers], "project": PROJECT}


def tell(db: Database, *bodies: object) -> list[Recorded]:
    told = []
    for body in bodies:
        event = read_event(body, NOW)
        with db.write() as session:
            told.append(record_event(session, event, NOW))
    return told


def labels(db: Database, uid: str = UID) -> dict[int, str]:
    """Label by annotation id."""
    with db.read() as session:
        rows = annotation_rows.live(session, projects.ensure(session, uid))
    return {row.annotation_id: row.result[0]["value"]["choices"][0] for row in rows}


def live_tasks(db: Database) -> list[int]:
    with db.read() as session:
        return tasks.live_ids(session, projects.ensure(session, UID))


def test_what_a_real_label_studio_sent(db: Database, recorded: list[dict[str, Any]]) -> None:
    """Import, label, skip, relabel, delete, Start Training, PATCH, predictions to annotations, delete a task."""
    told = tell(db, *(r["body"] for r in recorded if r["route"] == "/webhook"))
    assert labels(db) == {25: "a", 26: "a"}
    assert live_tasks(db) == [6001, 6002, 6003, 6004, 6005]
    row = project_row(db)
    assert (row.title, row.label_config, row.training_requested) == ("rec", CONFIG, 1)
    assert row.reconcile_requested is None
    assert [t.labels_changed for t in told] == [0, 1, 0, 1, 1, 0, 0, 2, 0]
    assert all(t.known for t in told)


def test_the_secrets_in_a_project_are_not_stored(db: Database, recorded: list[dict[str, Any]], tmp_path: Path) -> None:
    tell(db, *(r["body"] for r in recorded if r["route"] == "/webhook"))
    db.close()
    assert not [path for path in tmp_path.iterdir() if path.is_file() and b"SECRET" in path.read_bytes()]


def test_a_skip_is_no_label_and_taking_it_back_is_one(db: Database) -> None:
    assert tell(db, annotated(was_cancelled=True))[0].labels_changed == 0
    assert labels(db) == {}
    assert tell(db, annotated(second=1))[0].labels_changed == 1
    assert tell(db, annotated(second=2, was_cancelled=True))[0].labels_changed == 1
    assert labels(db) == {}


def test_a_skip_moves_the_version_and_no_training_comes_nearer(db: Database) -> None:
    tell(db, annotated(22))
    before = project_row(db)
    tell(db, annotated(was_cancelled=True), annotated(was_cancelled=True, second=1))
    after = project_row(db)
    assert (after.labels_version, after.labels_changed) == (before.labels_version + 1, before.labels_changed)


def test_the_same_event_twice_changes_nothing(db: Database) -> None:
    assert [t.labels_changed for t in tell(db, annotated(), annotated())] == [1, 0]
    assert project_row(db).labels_changed == 1


def test_an_update_that_changes_no_label_trains_nothing(db: Database) -> None:
    """A star, a lead time or a re-save is ANNOTATION_UPDATED, too."""
    tell(db, annotated())
    before = project_row(db).labels_version
    tell(db, annotated(second=9, ground_truth=True))
    assert project_row(db).labels_version == before


def test_an_older_update_that_comes_late_is_ignored(db: Database) -> None:
    tell(db, annotated(label="b", second=5), annotated(label="a", second=1))
    assert labels(db) == {23: "b"}


def test_a_delete_before_its_create_wins(db: Database) -> None:
    first, second = tell(db, deleted(23), annotated(action="ANNOTATION_CREATED"))
    assert labels(db) == {}
    assert first.reconcile
    assert second.labels_changed == 0


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_with_any_repetition_ends_the_same(db: Database, data: Any) -> None:
    with db.read() as session:
        number = len(projects.list_all(session)) + 1
    events = [annotated(1, "a", 1), annotated(1, "b", 2), annotated(2, "a", 1), deleted(2), annotated(3, "b", 1)]
    shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=3))))
    tell(db, *({**event, "project": {**PROJECT, "id": number}} for event in shuffled))
    assert labels(db, f"{number}.1795388054") == {1: "b", 3: "b"}


def test_both_spellings_of_a_deletion(db: Database) -> None:
    tell(db, annotated(1), annotated(2))
    tell(db, {"action": "ANNOTATION_DELETED", "annotation": {"id": 1}, "project": PROJECT}, deleted(2))
    assert labels(db) == {}


def test_an_unknown_deletion_asks_for_a_reconcile_and_a_known_one_does_not(db: Database) -> None:
    tell(db, annotated(1))
    assert not tell(db, deleted(1))[0].reconcile
    assert tell(db, deleted(77))[0].reconcile
    assert project_row(db).reconcile_requested == NOW


def test_tasks_come_and_go(db: Database) -> None:
    made = {
        "action": "TASKS_CREATED",
        "tasks": [{"id": i, "data": {"text": str(i)}} for i in (1, 2)],
        "project": PROJECT,
    }
    assert tell(db, made, made)[1].tasks_changed == 0
    version = project_row(db).data_version
    tell(db, {"action": "TASKS_DELETED", "tasks": [{"id": 1}], "project": PROJECT})
    assert live_tasks(db) == [2]
    assert project_row(db).data_version == version + 1
    tell(db, made)
    assert live_tasks(db) == [2], "a create that comes after its delete brings nothing back"


@pytest.mark.parametrize(
    ("counts", "reconcile"),
    [
        ({"total_annotations": 0, "cancelled_annotations": 0, "total_predictions": 1}, False),
        ({"total_annotations": 1, "cancelled_annotations": 0}, True),
        ({"total_annotations": 0, "cancelled_annotations": 1}, True),
    ],
)
def test_tasks_that_are_imported_with_their_annotations_ask_for_a_reconcile(
    db: Database, counts: dict[str, int], reconcile: bool
) -> None:
    """No event tells of those."""
    plain = {"id": 1, "data": {"text": "1"}, "total_annotations": 0}
    (told,) = tell(
        db,
        {"action": "TASKS_CREATED", "tasks": [plain, {"id": 2, "data": {"text": "2"}, **counts}], "project": PROJECT},
    )
    assert (told.tasks_changed, told.reconcile) == (2, reconcile)


def test_the_labels_of_a_deleted_task_go_with_it_in_any_order(db: Database) -> None:
    gone = {"action": "TASKS_DELETED", "tasks": [{"id": 6001}], "project": PROJECT}
    told = tell(db, annotated(23), annotated(24), gone)
    assert labels(db) == {}
    assert told[-1].labels_changed == 2, "what was made of them is out of date"
    tell(db, annotated(25), gone)
    assert labels(db) == {}, "one that is told late is of the deleted task too"


def test_what_is_told_late_of_a_deleted_task_changes_nothing(db: Database) -> None:
    tell(db, annotated(23), {"action": "TASKS_DELETED", "tasks": [{"id": 6001}], "project": PROJECT})
    before = project_row(db)
    (told,) = tell(db, annotated(25))
    after = project_row(db)
    assert told.labels_changed == 0
    assert (after.labels_version, after.labels_changed) == (before.labels_version, before.labels_changed)


def test_numbers_that_come_again_after_a_backup_was_restored_ask_for_a_reconcile(db: Database) -> None:
    """What is told late, or twice, does not."""
    again: dict[str, Any] = {"updated_at": "2026-11-30T10:00:00Z"}
    tell(db, annotated(), deleted(23))
    late, later, made_anew = tell(
        db, annotated(label="b", second=30), annotated(label="b", second=30), annotated(**again)
    )
    assert (late.reconcile, later.reconcile, made_anew.reconcile) == (False, False, True)
    tell(db, {"action": "TASKS_DELETED", "tasks": [{"id": 6001}], "project": PROJECT})
    late, made_anew = tell(db, annotated(24, second=40), annotated(24, **again))
    assert (late.reconcile, made_anew.reconcile) == (False, True)
    (made_anew,) = tell(
        db, {"action": "TASKS_CREATED", "tasks": [{"id": 6001, "data": {"text": "u"}}], "project": PROJECT}
    )
    assert made_anew.reconcile


def test_a_new_label_config_makes_both_sides_fall_behind(db: Database) -> None:
    tell(db, {"action": "PROJECT_UPDATED", "project": PROJECT})
    before = project_row(db)
    renamed = {**PROJECT, "label_config": CONFIG.replace('"b"', '"c"')}
    tell(db, {"action": "PROJECT_UPDATED", "project": renamed})
    after = project_row(db)
    assert after.label_config == renamed["label_config"]
    assert after.labels_version > before.labels_version


def test_our_own_patch_comes_back_and_moves_nothing(db: Database) -> None:
    tell(db, annotated(), {"action": "PROJECT_UPDATED", "project": PROJECT})
    before = project_row(db)
    tell(db, {"action": "PROJECT_UPDATED", "project": {**PROJECT, "model_version": "lantern-9", "sampling": "x"}})
    after = project_row(db)
    for name in ("labels_version", "data_version", "labels_changed", "training_requested", "reconcile_requested"):
        assert getattr(after, name) == getattr(before, name), name


def test_a_late_event_does_not_bring_an_old_config_back(db: Database) -> None:
    new = {**PROJECT, "label_config": CONFIG.replace('"b"', '"c"')}
    tell(db, {"action": "PROJECT_UPDATED", "project": new}, annotated())
    assert project_row(db).label_config == new["label_config"]


def test_start_training_needs_the_project_only(db: Database) -> None:
    first = tell(db, {"action": "START_TRAINING", "project": {"id": 3}})[0]
    assert first.job == 1
    assert tell(db, {"action": "START_TRAINING", "project": PROJECT})[0].job == 2
    assert project_row(db).training_requested == 2


@pytest.mark.parametrize("action", ["ANNOTATION_CREATED", "ANNOTATIONS_DELETED", "TASKS_CREATED", "START_TRAINING"])
def test_an_action_alone_asks_every_project_for_a_reconcile(db: Database, action: str) -> None:
    """send_payload=false."""
    tell(db, annotated(), {**annotated(), "project": {"id": 4}})
    told = tell(db, {"action": action})[0]
    assert told.reconcile
    for project in all_projects(db):
        assert project.reconcile_requested == NOW


def all_projects(db: Database) -> list[Project]:
    with db.read() as session:
        return projects.list_all(session)


@pytest.mark.parametrize("action", ["LABEL_LINK_CREATED", "SOMETHING_NEW", "", None, 7, ["x"]])
def test_an_unknown_action_is_left_alone(db: Database, action: object) -> None:
    told = tell(db, {"action": action, "project": PROJECT})[0]
    assert (told.known, told.reconcile) == (False, False)
    assert all_projects(db) == []


BROKEN_PARTS: list[dict[str, Any]] = [
    {"annotation": None},
    {"annotation": "x"},
    {"annotation": {}},
    {"annotation": {"id": "x"}},
    {"annotation": [None, 3]},
    {"task": None},
    {"task": []},
    {"task": {"id": -1}},
    {"project": None},
    {"project": {"id": "../../etc"}},
    {"project": {"id": 10**30}},
    {"project": [1]},
]


@pytest.mark.parametrize(
    "action", ["ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATIONS_DELETED", "TASKS_DELETED"]
)
def test_broken_parts_never_raise_and_break_nothing_else(db: Database, action: str) -> None:
    tell(db, annotated(5, "b", task=6002))
    tell(db, *({**annotated(action=action), **part} for part in BROKEN_PARTS))
    assert labels(db)[5] == "b"


@pytest.mark.parametrize("task", [{"id": 6001}, {"data": {"text": "t"}}, {"id": -1, "data": {}}, "x"])
def test_an_annotation_whose_task_cannot_be_read_counts_and_asks_for_a_reconcile(db: Database, task: object) -> None:
    (told,) = tell(db, annotated(1, "a") | {"task": task})
    assert labels(db) == {1: "a"}
    assert told.reconcile


@pytest.mark.parametrize("body", [None, [], "x", 3])
def test_a_body_that_is_no_object_is_an_input_error(body: object) -> None:
    with pytest.raises(InputError):
        read_event(body, NOW)


def test_an_annotation_without_time_or_annotator_counts(db: Database) -> None:
    tell(db, annotated(updated_at=None, completed_by=None))
    assert labels(db) == {23: "a"}


def test_the_annotator_is_the_same_in_every_form(db: Database) -> None:
    tell(db, annotated(1, completed_by=5), annotated(2, completed_by={"id": 5, "email": "x"}))
    with db.read() as session:
        found = annotation_rows.live(session, projects.ensure(session, UID))
    assert {row.annotator for row in found} == {"5"}


def test_two_projects_stay_apart(db: Database) -> None:
    other = {**PROJECT, "id": 4}
    for project, label in itertools.product((PROJECT, other), "ab"):
        number = 1 if project is PROJECT else 2
        tell(db, {**annotated(number, label, second=ord(label) % 60), "project": project})
    assert labels(db) == {1: "b"}
    assert labels(db, "4.1795388054") == {2: "b"}
