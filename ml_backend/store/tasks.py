"""Tasks: bulk changes and reads. The caller bumps data_version with `projects.touch_data` in the same transaction.

A changed row carries the data_version that this bump will lead to, so `changed_since` finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, type_coerce, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from ml_backend.store.bulk import chunks, execute_many, execute_once
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
    seen: set[int] = set()
    changed = sum(_take_in(session, own, chunk, since_version) for chunk in chunks(_first_of_each(rows, seen)))
    return changed + delete_many(session, own, _missing(session, own, seen, since_version))


def mark_unreadable(session: Session, project: Project, reasons: Mapping[int, str | None]) -> None:
    """Say why tasks cannot be encoded; None = it can. Changes no version."""
    statement = (
        update(Task)
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
    return execute_once(session, statement)


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


def deleted_among(session: Session, project: Project, ids: Iterable[int]) -> set[int]:
    """Those of the ids whose task is deleted."""
    query = select(Task.task_id).where(Task.project_id == project.id, Task.deleted.is_(True))
    parts = chunks(sorted(set(ids)))
    return {task_id for part in parts for task_id in session.scalars(query.where(Task.task_id.in_(part)))}


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


def _first_of_each(rows: Iterable[TaskRow], seen: set[int]) -> Iterator[TaskRow]:
    """The rows without repeated ids, which are gathered in `seen`."""
    for task_id, data in rows:
        if row_id(task_id, "a task") not in seen:
            seen.add(task_id)
            yield task_id, data


def _take_in(session: Session, project: Project, rows: Sequence[TaskRow], since_version: int) -> int:
    """Make the exported rows' tasks equal to them; how many changed. One chunk: the data of all would not fit into
    memory."""
    known = _known(session, project, [task_id for task_id, _ in rows])
    changes = [
        _values(project, project.data_version + 1, task_id, data)
        for task_id, data in rows
        if (before := known.get(task_id)) is None
        or (before.version <= since_version and (before.deleted or before.text != to_text(data)))
    ]
    statement = insert(Task)
    statement = statement.on_conflict_do_update(
        index_elements=[Task.project_id, Task.task_id],
        set_={name: statement.excluded[name] for name in ("data", "content_version", "deleted", "unreadable")},
    )
    execute_many(session, statement, changes)
    return len(changes)


def _missing(session: Session, project: Project, seen: set[int], since_version: int) -> list[int]:
    """Live tasks that an export does not hold and that did not change since it began."""
    query = select(Task.task_id).where(
        Task.project_id == project.id, Task.deleted.is_(False), Task.content_version <= since_version
    )
    return [task_id for task_id in session.scalars(query) if task_id not in seen]


class _Known(NamedTuple):
    """A row as it lies in the table: its data as text, which is canonical, and the version that it changed in."""

    text: str
    version: int
    deleted: bool


def _known(session: Session, project: Project, ids: Sequence[int]) -> dict[int, _Known]:
    query = select(Task.task_id, type_coerce(Task.data, Text), Task.content_version, Task.deleted)
    query = query.where(Task.project_id == project.id, Task.task_id.in_(ids))
    return {row[0]: _Known(*row[1:]) for row in session.execute(query)}
