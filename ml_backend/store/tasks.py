"""Tasks: bulk changes and reads. The caller bumps data_version with `projects.touch_data` in the same transaction.

A changed row carries the data_version that this bump will lead to, so `changed_since` finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, type_coerce, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from ml_backend.store.bulk import chunks, execute_many
from ml_backend.store.checks import row_id
from ml_backend.store.jsontext import to_text
from ml_backend.store.projects import current
from ml_backend.store.tables import Project, Task

TaskRow = tuple[int, Mapping[str, object]]
"""(Label Studio's task id, the task's data)"""


def upsert_many(session: Session, project: Project, rows: Iterable[TaskRow]) -> int:
    """Make or update tasks; how many really changed (the same data again is no change).

    A tombstone stays: a create that comes after its delete does not bring the task back, only `replace_all` does.
    Raises InputError for an id that is no whole number.
    """
    statement = insert(Task)
    statement = statement.on_conflict_do_update(
        index_elements=[Task.project_id, Task.task_id],
        set_={name: statement.excluded[name] for name in ("data", "content_version", "unreadable")},
        where=(Task.data != statement.excluded.data) & Task.deleted.is_(False),
    )
    version = _next_version(session, project)
    return execute_many(session, statement, (_values(project, version, *row) for row in rows))


def delete_many(session: Session, project: Project, ids: Iterable[int]) -> int:
    """Tombstones; how many tasks were alive. An unknown id gets a tombstone too, against a create that comes late."""
    statement = insert(Task)
    statement = statement.on_conflict_do_update(
        index_elements=[Task.project_id, Task.task_id],
        set_={"deleted": True, "content_version": statement.excluded.content_version},
        where=Task.deleted.is_(False),
    )
    wanted = {row_id(task_id, "a task") for task_id in ids}
    alive = sum(len(_alive(session, project, chunk)) for chunk in chunks(wanted))
    version = _next_version(session, project)
    execute_many(session, statement, (_values(project, version, i, {}) | {"deleted": True} for i in sorted(wanted)))
    return alive


def replace_all(session: Session, project: Project, rows: Iterable[TaskRow], since_version: int) -> int:
    """Reconcile with a complete export; how many tasks changed.

    since_version: the project's data_version before the export began. Rows that changed later keep what they have; of
    the others, those in the export come back or are updated, those missing in it are deleted.
    """
    own = current(session, project)
    known = _known(session, own)
    version = own.data_version + 1
    changes: dict[int, dict[str, Any]] = {}
    seen: set[int] = set()
    for task_id, data in rows:
        seen.add(row_id(task_id, "a task"))
        before = known.get(task_id)
        if before is None or (before[1] <= since_version and (before[2] or before[0] != to_text(data))):
            changes[task_id] = _values(own, version, task_id, data)
    missing = [
        i
        for i, (_, changed_in, deleted) in known.items()
        if i not in seen and not deleted and changed_in <= since_version
    ]
    statement = insert(Task)
    statement = statement.on_conflict_do_update(
        index_elements=[Task.project_id, Task.task_id],
        set_={name: statement.excluded[name] for name in ("data", "content_version", "deleted", "unreadable")},
    )
    execute_many(session, statement, changes.values())
    return len(changes) + delete_many(session, own, missing)


def mark_unreadable(session: Session, project: Project, reasons: Mapping[int, str | None]) -> None:
    """Say why tasks cannot be encoded; None = it can. Changes no version."""
    statement = (
        update(Task.__table__)  # type: ignore[arg-type]
        .where(Task.project_id == project.id, Task.task_id == bindparam("b_task_id"))
        .values(unreadable=bindparam("b_reason"))
    )
    execute_many(session, statement, ({"b_task_id": i, "b_reason": reason} for i, reason in reasons.items()))


def retry_unreadable(session: Session, project: Project) -> int:
    """Let the tasks that could not be encoded count as changed; how many. The caller bumps data_version."""
    statement = (
        update(Task)
        .where(Task.project_id == project.id, Task.deleted.is_(False), Task.unreadable.is_not(None))
        .values(content_version=_next_version(session, project))
    )
    return session.execute(statement, execution_options={"synchronize_session": False}).rowcount  # type: ignore[attr-defined, no-any-return]


def live(session: Session, project: Project) -> list[Task]:
    """All tasks that are not deleted, by id."""
    query = select(Task).where(Task.project_id == project.id, Task.deleted.is_(False)).order_by(Task.task_id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def live_ids(session: Session, project: Project) -> list[int]:
    """Ids of all tasks that are not deleted, in order."""
    query = select(Task.task_id).where(Task.project_id == project.id, Task.deleted.is_(False)).order_by(Task.task_id)
    return list(session.scalars(query))


def count_live(session: Session, project: Project) -> int:
    """Number of tasks that are not deleted."""
    query = select(func.count()).where(Task.project_id == project.id, Task.deleted.is_(False))
    return session.scalar(query) or 0


def by_ids(session: Session, project: Project, ids: Iterable[int]) -> list[Task]:
    """Those tasks of the ids that are known, deleted ones too, by id."""
    found: list[Task] = []
    for chunk in chunks(sorted(set(ids))):
        query = select(Task).where(Task.project_id == project.id, Task.task_id.in_(chunk)).order_by(Task.task_id)
        found.extend(session.scalars(query.execution_options(populate_existing=True)))
    return found


def changed_since(session: Session, project: Project, data_version: int) -> list[int]:
    """Ids of tasks made, changed or deleted after that version, in order."""
    query = select(Task.task_id).where(Task.project_id == project.id, Task.content_version > data_version)
    return sorted(session.scalars(query))


def unreadable(session: Session, project: Project) -> dict[int, str]:
    """Reason by id, of the live tasks that cannot be encoded."""
    query = select(Task.task_id, Task.unreadable).where(
        Task.project_id == project.id, Task.deleted.is_(False), Task.unreadable.is_not(None)
    )
    return {task_id: reason for task_id, reason in session.execute(query) if reason is not None}


def _values(project: Project, version: int, task_id: int, data: Mapping[str, object]) -> dict[str, Any]:
    return {
        "project_id": project.id,
        "task_id": row_id(task_id, "a task"),
        "data": dict(data),
        "content_version": version,
        "deleted": False,
        "unreadable": None,
    }


def _next_version(session: Session, project: Project) -> int:
    return current(session, project).data_version + 1


def _alive(session: Session, project: Project, ids: Sequence[int]) -> Sequence[int]:
    query = select(Task.task_id).where(Task.project_id == project.id, Task.task_id.in_(ids), Task.deleted.is_(False))
    return session.scalars(query).all()


def _known(session: Session, project: Project) -> dict[int, tuple[str, int, bool]]:
    """(data as text, content_version, deleted) by id: the text as it lies in the table, which is canonical."""
    query = select(Task.task_id, type_coerce(Task.data, Text), Task.content_version, Task.deleted)
    return {
        task_id: (text, version, deleted)
        for task_id, text, version, deleted in session.execute(query.where(Task.project_id == project.id))
    }
