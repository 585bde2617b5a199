"""One annotation and what is told of it: newest wins, deletion is final, a skip is no label."""

from __future__ import annotations

import math

import pytest

from ml_backend.errors import InputError
from ml_backend.store import annotations as rows
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.tables import JsonObject, Project
from tests.store.events import Deletion, labels, labels_version, said, tell


def test_the_newest_update_wins_in_either_order(db: Database, project: Project) -> None:
    assert tell(db, project, said(1, "old", 10.0)) == 1
    assert tell(db, project, said(1, "new", 20.0)) == 1
    assert tell(db, project, said(1, "old", 10.0)) == 0
    assert labels(db, project) == {1: "new"}


def test_the_same_event_twice_changes_nothing(db: Database, project: Project) -> None:
    tell(db, project, said(1, "a", 10.0))
    version = labels_version(db, project)
    assert tell(db, project, said(1, "a", 10.0)) == 0
    assert labels_version(db, project) == version


def test_an_edit_that_leaves_the_answer_as_it_was_starts_no_training(db: Database, project: Project) -> None:
    tell(db, project, said(1, "a", 10.0))
    assert tell(db, project, said(1, "a", 20.0)) == 0
    assert tell(db, project, said(1, "b", 15.0)) == 0, "the star at 20 is newer than the label at 15"


@pytest.mark.parametrize("updated_at", [9.0, 10.0, 10.5])
def test_a_deleted_annotation_does_not_come_back_by_a_late_event(
    db: Database, project: Project, updated_at: float
) -> None:
    tell(db, project, said(1, "a", 9.0), Deletion(1, at=10.0))
    assert tell(db, project, said(1, "late", updated_at)) == 0
    assert labels(db, project) == {}


def test_delete_before_create_is_reported_and_holds(db: Database, project: Project) -> None:
    tell(db, project, said(1, "a", 9.0))
    with db.write() as session:
        assert rows.tombstone(session, project, [3, 1, 2, 3], 10.0) == [2, 3]
        assert rows.tombstone(session, project, [1, 2, 3], 11.0) == []
    assert tell(db, project, said(2, "late", 9.0), said(3, "late", 12.0)) == 0
    assert labels(db, project) == {}


def test_a_skipped_annotation_is_kept_and_is_no_label(db: Database, project: Project) -> None:
    assert tell(db, project, said(1, "a", 10.0, skipped=True)) == 0
    assert labels(db, project) == {}
    assert tell(db, project, said(1, "a", 11.0)) == 1
    assert labels(db, project) == {1: "a"}
    assert tell(db, project, said(1, "a", 12.0, skipped=True)) == 1
    with db.read() as session:
        assert [row.was_cancelled for row in rows.by_ids(session, project, [1])] == [True]
        assert rows.count_labels(session, project) == 0


def test_many_at_once_are_as_one_after_the_other(db: Database, project: Project) -> None:
    events = [said(i, "old", 10.0) for i in range(1_200)] + [said(i, "new", 20.0) for i in range(0, 1_200, 2)]
    with db.write() as session:
        assert rows.apply_many(session, project, events) >= 1_200
        assert rows.apply_many(session, project, events) == 0
        assert rows.count_labels(session, project) == 1_200
        assert rows.count_labels(session, project, range(1_000, 2_000)) == 200
    found = labels(db, project)
    assert all(found[i] == ("old" if i % 2 else "new") for i in range(1_200))


def test_an_annotation_keeps_its_regions_and_its_task(db: Database, project: Project) -> None:
    result = [{"id": "x\u2028", "value": {"taxonomy": [["a", "b"]]}, "score": None}, {"type": "rating", "n": 1.5}]
    tell(db, project, AnnotationRow(5, 77, "anna@x", result, False, 1.5), AnnotationRow(6, None, None, [], False, 2.5))
    with db.read() as session:
        first, second = rows.live(session, project)
    assert (first.task_id, first.annotator, first.result, first.updated_at) == (77, "anna@x", result, 1.5)
    assert (second.task_id, second.annotator, second.result) == (None, None, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"annotation_id": "1"},
        {"annotation_id": 10**30},
        {"task_id": "1"},
        {"updated_at": math.nan},
        {"updated_at": None},
        {"result": {}},
        {"result": None},
    ],
)
def test_a_row_of_the_wrong_kind_is_refused_when_it_is_made(wrong: JsonObject) -> None:
    right: JsonObject = {
        "annotation_id": 1,
        "task_id": 1,
        "annotator": None,
        "result": [],
        "was_cancelled": False,
        "updated_at": 1.0,
    }
    assert AnnotationRow(**right)
    with pytest.raises(InputError):
        AnnotationRow(**(right | wrong))
