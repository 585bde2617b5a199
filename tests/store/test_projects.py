"""Projects: which row a key means, and what makes a project fall behind."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from ml_backend.errors import InputError
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Project


def test_the_same_key_is_the_same_project(db: Database, project: Project) -> None:
    with db.write() as session:
        assert projects.ensure(session, "12.1795381627").id == project.id
        assert projects.ensure(session, "12").id == project.id
        assert projects.ensure(session, 12).id == project.id
        assert projects.ensure(session, "13").id != project.id


def test_the_bare_number_means_the_newest_project_with_it(db: Database, project: Project) -> None:
    with db.write() as session:
        newer = projects.ensure(session, "12.1800000000")
        older = projects.ensure(session, "12.1700000000")
    with db.read() as session:
        assert projects.ensure(session, "12").id == newer.id
    with db.write() as session:
        projects.mark_deleted(session, newer)
        assert projects.ensure(session, "12").id == project.id
        assert {p.id for p in projects.list_all(session)} == {project.id, older.id}


def test_a_project_first_heard_of_by_number_takes_on_its_full_key(db: Database) -> None:
    with db.write() as session:
        bare = projects.ensure(session, 7)
        tasks.upsert_many(session, bare, [(1, {"text": "a"})])
    with db.write() as session:
        full = projects.ensure(session, "7.1795381627")
        assert (full.id, full.uid) == (bare.id, "7.1795381627")
        assert projects.ensure(session, "7.1800000000").id != full.id


def test_a_reader_finds_but_never_makes_a_project(db: Database, project: Project) -> None:
    with db.read() as session:
        assert projects.ensure(session, "12").id == project.id
        assert projects.find(session, "99") is None
        with pytest.raises(InputError, match="99"):
            projects.ensure(session, "99")


def test_a_key_that_is_none_makes_no_row(db: Database) -> None:
    with db.write() as session:
        with pytest.raises(InputError):
            projects.ensure(session, "1;drop")
        assert projects.list_all(session) == []


def test_configure_tells_whether_anything_changed(db: Database, project: Project) -> None:
    with db.write() as session:
        assert projects.configure(session, project, label_config="<View/>", title="A", extra_params={"a": 1, "b": 2})
        assert not projects.configure(session, project, label_config="<View/>", extra_params={"b": 2, "a": 1})
        assert not projects.configure(session, project)
    with db.read() as session:
        stored = projects.ensure(session, 12)
    assert (stored.title, stored.label_config, stored.extra_params) == ("A", "<View/>", {"a": 1, "b": 2})


def test_only_what_predictions_depend_on_makes_a_project_fall_behind(db: Database, project: Project) -> None:
    with db.write() as session:
        projects.configure(session, project, title="A", hostname="http://x", connection={"token": "t"})
        assert _versions(session, project) == (0, 0)
        projects.configure(session, project, encoder="text")
        assert _versions(session, project) == (1, 0)
        projects.configure(session, project, label_config="<View/>")
        assert _versions(session, project) == (2, 1)


def test_touching_without_a_change_moves_nothing(db: Database, project: Project) -> None:
    with db.write() as session:
        projects.touch_data(session, project, 0, 5.0)
        projects.touch_labels(session, project, 0, 5.0)
    with db.read() as session:
        stored = projects.ensure(session, 12)
    assert (stored.data_version, stored.labels_version, stored.labels_changed, stored.labels_changed_at) == (
        0,
        0,
        0,
        0.0,
    )


def test_touching_through_an_old_copy_of_the_row_counts_from_the_row(db: Database, project: Project) -> None:
    for now in (5.0, 6.0):
        with db.write() as session:
            projects.touch_labels(session, project, 3, now)
            projects.touch_data(session, project, 1, now)
    with db.read() as session:
        stored = projects.ensure(session, 12)
    assert (stored.data_version, stored.labels_version, stored.labels_changed, stored.labels_changed_at) == (
        2,
        2,
        6,
        6.0,
    )


def test_labels_and_requests_that_come_during_a_training_still_count(db: Database, project: Project) -> None:
    with db.write() as session:
        projects.touch_labels(session, project, 10, 1.0)
        requested = projects.request_training(session, project)
    with db.write() as session:
        projects.touch_labels(session, project, 2, 2.0)
        projects.request_training(session, project)
    with db.write() as session:
        projects.training_handled(session, project, requested=requested, labels_changed=10)
    with db.read() as session:
        stored = projects.ensure(session, 12)
    assert stored.labels_changed == 2
    assert stored.training_requested - stored.training_done == 1


def test_a_reconcile_asked_for_during_a_reconcile_is_not_lost(db: Database, project: Project) -> None:
    with db.write() as session:
        projects.request_reconcile(session, project, 10.0)
        projects.reconciled(session, project, as_of=11.0)
        assert projects.ensure(session, 12).reconcile_requested is None
        projects.request_reconcile(session, project, 13.0)
        projects.reconciled(session, project, as_of=12.0)
        assert projects.ensure(session, 12).reconcile_requested == 13.0
        assert projects.ensure(session, 12).reconciled_at == 12.0


def test_a_configured_project_is_no_longer_deleted(db: Database, project: Project) -> None:
    with db.write() as session:
        projects.mark_deleted(session, project)
        assert projects.list_all(session) == []
        assert projects.configure(session, project, title="back")
        assert [p.title for p in projects.list_all(session)] == ["back"]


def _versions(session: Session, project: Project) -> tuple[int, int]:
    row = projects.current(session, project)
    return row.data_version, row.labels_version
