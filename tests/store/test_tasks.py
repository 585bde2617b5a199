"""Tasks: bulk changes say what really changed, and a reconcile takes the export for truth."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator

import pytest

from ml_backend.errors import InputError
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import JsonObject, Project
from ml_backend.store.tasks import TaskRow


def put(db: Database, project: Project, *rows: TaskRow) -> int:
    with db.write() as session:
        changed = tasks.upsert_many(session, project, rows)
        projects.touch_data(session, project, changed, 1.0)
    return changed


def drop(db: Database, project: Project, *ids: int) -> int:
    with db.write() as session:
        changed = tasks.delete_many(session, project, ids)
        projects.touch_data(session, project, changed, 1.0)
    return changed


def replace(db: Database, project: Project, since: int, *rows: TaskRow) -> int:
    with db.write() as session:
        changed = tasks.replace_all(session, project, rows, since)
        projects.touch_data(session, project, changed, 1.0)
    return changed


def texts(db: Database, project: Project) -> dict[int, object]:
    with db.read() as session:
        return {task.task_id: task.data.get("text") for task in tasks.live(session, project)}


def version(db: Database) -> int:
    with db.read() as session:
        return projects.ensure(session, 12).data_version


@pytest.mark.slow
def test_the_same_tasks_again_are_no_change(db: Database, project: Project) -> None:
    rows = [(i, {"text": f"t{i}", "meta": {"a": 1, "b": [1, 2]}}) for i in range(1, 6_002)]
    assert put(db, project, *rows) == 6_001
    assert put(db, project, *[(i, {"meta": {"b": [1, 2], "a": 1}, "text": f"t{i}"}) for i, _ in rows]) == 0
    assert version(db) == 1


def test_changed_since_names_what_must_be_encoded_again(db: Database, project: Project) -> None:
    put(db, project, (1, {"text": "a"}), (2, {"text": "b"}))
    seen = version(db)
    put(db, project, (1, {"text": "a"}), (2, {"text": "B"}), (3, {"text": "c"}))
    drop(db, project, 1)
    with db.read() as session:
        assert tasks.changed_since(session, project, seen) == [1, 2, 3]
        assert tasks.changed_since(session, project, 0) == [1, 2, 3]
        assert tasks.changed_since(session, project, version(db)) == []


def test_a_deleted_task_stays_deleted_whatever_arrives_late(db: Database, project: Project) -> None:
    put(db, project, (1, {"text": "a"}))
    assert drop(db, project, 1, 2) == 1
    assert drop(db, project, 1, 2) == 0
    assert put(db, project, (1, {"text": "late"}), (2, {"text": "late"}), (3, {"text": "c"})) == 1
    assert texts(db, project) == {3: "c"}


def test_an_export_is_the_truth_as_of_its_beginning(db: Database, project: Project) -> None:
    put(db, project, (1, {"text": "a"}), (2, {"text": "b"}), (3, {"text": "c"}), (4, {"text": "d"}))
    drop(db, project, 4)
    began = version(db)
    drop(db, project, 3)  # while the export runs ...
    put(db, project, (5, {"text": "e"}), (2, {"text": "new"}))  # ... and so are these
    exported = [(2, {"text": "b"}), (3, {"text": "c"}), (4, {"text": "d"}), (6, {"text": "f"})]
    assert replace(db, project, began, *exported) == 3
    assert texts(db, project) == {2: "new", 4: "d", 5: "e", 6: "f"}


def test_the_same_export_again_is_no_change(db: Database, project: Project) -> None:
    exported = [(i, {"text": str(i)}) for i in range(10)]
    assert replace(db, project, 0, *exported) == 10
    assert replace(db, project, version(db), *exported) == 0
    assert replace(db, project, version(db)) == 10
    assert replace(db, project, version(db)) == 0
    assert texts(db, project) == {}


def test_why_a_task_is_unreadable_is_kept_until_its_data_changes(db: Database, project: Project) -> None:
    put(db, project, (1, {"text": ""}), (2, {"text": "b"}))
    with db.write() as session:
        tasks.mark_unreadable(session, project, {1: "the text is empty", 2: None})
    with db.read() as session:
        assert tasks.unreadable(session, project) == {1: "the text is empty"}
        assert tasks.changed_since(session, project, version(db)) == []
    put(db, project, (1, {"text": "now"}))
    with db.read() as session:
        assert tasks.unreadable(session, project) == {}


@pytest.mark.parametrize("text", ["\ud800 lone surrogate", "nul \x00", "日本語 \U0001f4a1", "'; DROP TABLE task; --"])
def test_any_text_comes_back_as_it_was(db: Database, project: Project, text: str) -> None:
    put(db, project, (1, {"text": text}))
    assert texts(db, project) == {1: text}


def test_a_vector_with_nan_does_not_stop_the_import(db: Database, project: Project) -> None:
    put(db, project, (1, {"embedding": [1.0, math.nan]}), (2, {"text": "b"}))
    with db.read() as session:
        broken, fine = tasks.live(session, project)
    assert math.isnan(broken.data["embedding"][1])
    assert fine.data == {"text": "b"}


def test_an_id_that_is_none_changes_nothing(db: Database, project: Project) -> None:
    told: JsonObject = {"id": "2; DROP TABLE task"}
    with pytest.raises(InputError):
        put(db, project, (1, {"text": "a"}), (told["id"], {"text": "b"}))
    assert texts(db, project) == {}


def test_projects_do_not_see_each_other(db: Database, project: Project) -> None:
    with db.write() as session:
        other = projects.ensure(session, "13.1")
        tasks.upsert_many(session, other, [(1, {"text": "other"})])
    put(db, project, (1, {"text": "a"}))
    replace(db, project, version(db))
    assert texts(db, other) == {1: "other"}
    assert texts(db, project) == {}


def test_by_ids_gives_tombstones_too_and_live_does_not(db: Database, project: Project) -> None:
    put(db, project, *[(i, {"text": str(i)}) for i in range(1, 1_202)])
    drop(db, project, 7)
    with db.read() as session:
        found = tasks.by_ids(session, project, [9_999, 1_201, 7, 1])
        assert [(task.task_id, task.deleted) for task in found] == [(1, False), (7, True), (1_201, False)]
        assert tasks.count_live(session, project) == len(tasks.live_ids(session, project)) == 1_200
        assert len(tasks.by_ids(session, project, range(2_000))) == 1_201


def test_a_bulk_change_is_seen_through_rows_that_the_session_already_holds(db: Database, project: Project) -> None:
    put(db, project, (1, {"text": "a"}))
    with db.write() as session:
        assert tasks.live(session, project)[0].data == {"text": "a"}
        tasks.upsert_many(session, project, [(1, {"text": "b"})])
        assert tasks.live(session, project)[0].data == {"text": "b"}


@pytest.mark.slow
def test_an_export_is_taken_in_without_holding_all_of_it(db: Database, project: Project) -> None:
    """Vectors in 100,000 tasks' data do not fit into memory: only a part of them is there at a time."""
    size, n = 5_000, 5_000

    def exported(letter: str) -> Iterator[tuple[int, dict[str, object]]]:
        return ((i, {"text": letter * size}) for i in range(n))

    with db.write() as session:
        assert tasks.replace_all(session, project, exported("a"), 0) == n
        projects.touch_data(session, project, n, 1.0)
    tracemalloc.start()
    with db.write() as session:
        assert tasks.replace_all(session, project, exported("b"), 1) == n
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < n * size / 2


def test_an_export_that_names_a_task_twice_counts_it_once(db: Database, project: Project) -> None:
    assert replace(db, project, 0, (1, {"text": "a"}), (1, {"text": "b"})) == 1
    assert texts(db, project) == {1: "a"}
