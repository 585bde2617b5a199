"""Annotations: what people said. Any order and any repetition of the same events leads to the same rows
(annotation_state.py).

Skipped (`was_cancelled`) annotations are kept but are no labels, nor are those of a deleted task: Label Studio deletes
them with it, without a word about each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, func, select, type_coerce
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import Text

from ml_backend.store import checks
from ml_backend.store.annotation_state import (
    AnnotationRow,
    AnnotationState,
    after_deletion,
    after_event,
    after_export,
    is_gone,
    label_of,
)
from ml_backend.store.bulk import chunks, execute_many
from ml_backend.store.projects import current
from ml_backend.store.tables import Annotation, Project, Task
from ml_backend.store.tasks import deleted_among

__all__ = [
    "AnnotationRow",
    "annotators",
    "apply",
    "apply_many",
    "by_ids",
    "count_labels",
    "count_on",
    "is_label",
    "label_ids",
    "live",
    "replace_all",
    "skips",
    "tombstone",
]

States = dict[int, AnnotationState]


def apply(session: Session, project: Project, row: AnnotationRow) -> bool:
    """Take one event in; True when a label changed (not for an older or repeated event, a skip, an edit without
    effect).
    """
    return apply_many(session, project, [row]) > 0


def apply_many(session: Session, project: Project, rows: Iterable[AnnotationRow]) -> int:
    """Take many events in; how many labels changed. The caller passes it to `projects.touch_labels`."""
    return sum(_merge(session, project, chunk) for chunk in chunks(rows))


def tombstone(session: Session, project: Project, ids: Iterable[int], at: float) -> list[int]:
    """Delete by id; the ids that were never heard of (ask for a reconcile). Again the same ids: nothing changes.

    at: our clock. How many labels go: `count_labels(session, project, ids)` before the call.
    """
    checks.seconds(at, "the time of deletion")
    wanted = sorted({checks.row_id(i, "an annotation") for i in ids})
    unknown: list[int] = []
    for chunk in chunks(wanted):
        known = _states(session, project, Annotation.annotation_id.in_(chunk))
        unknown += [i for i in chunk if i not in known]
        _save(session, project, known, {i: after_deletion(known.get(i), i, at) for i in chunk})
    return unknown


def replace_all(
    session: Session, project: Project, rows: Iterable[AnnotationRow], as_of: float, *, since_version: int
) -> int:
    """Reconcile with a complete export; how many labels changed.

    as_of, since_version: our clock and the project's labels_version, both from before the export began. A row that
    changed after since_version keeps the newer content. Any other one becomes what the export says; missing in it, it
    is deleted, unless its updated_at > as_of (a skip moves no version). A tombstone newer than as_of stays, unless the
    exported updated_at is newer still.
    """
    checks.seconds(as_of, "the time of the export")
    known = _states(session, project)
    after: States = {}
    for row in rows:
        exported, i = AnnotationState.of(row), row.annotation_id
        after[i] = (
            after_event(after[i], exported)
            if i in after
            else after_export(known.get(i), exported, as_of, since_version)
        )
    for i, state in known.items():
        if i not in after and is_gone(state, as_of, since_version):
            after[i] = after_deletion(state, i, as_of)
    return _save(session, project, known, after)


def live(session: Session, project: Project) -> list[Annotation]:
    """All labels: neither deleted nor skipped, by id."""
    query = select(Annotation).where(*is_label(project)).order_by(Annotation.annotation_id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def by_ids(session: Session, project: Project, ids: Iterable[int]) -> list[Annotation]:
    """Those annotations of the ids that are known, deleted and skipped ones too, by id."""
    found: list[Annotation] = []
    for chunk in chunks(sorted(set(ids))):
        query = select(Annotation).where(Annotation.project_id == project.id, Annotation.annotation_id.in_(chunk))
        query = query.order_by(Annotation.annotation_id)
        found.extend(session.scalars(query.execution_options(populate_existing=True)))
    return found


def is_label(project: Project) -> tuple[ColumnElement[bool], ...]:
    """Of an annotation: whether it is a label, as conditions of a query."""
    gone = select(Task.task_id).where(
        Task.project_id == Annotation.project_id, Task.task_id == Annotation.task_id, Task.deleted.is_(True)
    )
    return (
        Annotation.project_id == project.id,
        Annotation.deleted.is_(False),
        Annotation.was_cancelled.is_(False),
        ~gone.exists(),
    )


def annotators(session: Session, project: Project, task_ids: Iterable[int]) -> dict[int, list[str]]:
    """Who labelled each of these tasks, by Label Studio's user id; tasks without a label are missing."""
    found: dict[int, list[str]] = {}
    for chunk in chunks(sorted(set(task_ids))):
        query = select(Annotation.task_id, Annotation.annotator).where(
            *is_label(project), Annotation.task_id.in_(chunk)
        )
        for task_id, annotator in session.execute(query.distinct().order_by(Annotation.task_id, Annotation.annotator)):
            if task_id is not None and annotator is not None:
                found.setdefault(task_id, []).append(annotator)
    return found


def count_labels(session: Session, project: Project, ids: Iterable[int] | None = None) -> int:
    """Number of labels, among the ids where given."""
    query = select(func.count()).where(*is_label(project))
    if ids is None:
        return session.scalar(query) or 0
    return sum(session.scalar(query.where(Annotation.annotation_id.in_(c))) or 0 for c in chunks(sorted(set(ids))))


def count_on(session: Session, project: Project, task_ids: Iterable[int]) -> int:
    """Number of labels on these tasks."""
    query = select(func.count()).where(*is_label(project))
    parts = chunks(sorted(set(task_ids)))
    return sum(session.scalar(query.where(Annotation.task_id.in_(part))) or 0 for part in parts)


def label_ids(session: Session, project: Project) -> set[int]:
    """Ids of all labels."""
    return set(session.scalars(select(Annotation.annotation_id).where(*is_label(project))))


def skips(session: Session, project: Project, ids: Iterable[int] | None = None) -> set[tuple[int, int | None]]:
    """(annotation, task) of those (of the ids, where given) that say "skipped": no labels, but the map shows them."""
    query = select(Annotation.annotation_id, Annotation.task_id).where(
        Annotation.project_id == project.id, Annotation.deleted.is_(False), Annotation.was_cancelled.is_(True)
    )
    parts = (
        [query]
        if ids is None
        else [query.where(Annotation.annotation_id.in_(chunk)) for chunk in chunks(sorted(set(ids)))]
    )
    return {(row.annotation_id, row.task_id) for part in parts for row in session.execute(part)}


def _merge(session: Session, project: Project, rows: list[AnnotationRow]) -> int:
    known = _states(session, project, Annotation.annotation_id.in_([row.annotation_id for row in rows]))
    after: States = {}
    for row in rows:
        before = after.get(row.annotation_id) or known.get(row.annotation_id)
        after[row.annotation_id] = after_event(before, AnnotationState.of(row))
    return _save(session, project, known, after)


_COLUMNS = (
    Annotation.annotation_id,
    Annotation.task_id,
    Annotation.annotator,
    type_coerce(Annotation.result, Text),
    Annotation.was_cancelled,
    Annotation.updated_at,
    Annotation.deleted,
    Annotation.deleted_at,
    Annotation.content_version,
)


def _states(session: Session, project: Project, *where: ColumnElement[bool]) -> States:
    found = session.execute(select(*_COLUMNS).where(Annotation.project_id == project.id, *where))
    return {row[0]: AnnotationState(*row) for row in found}


def _save(session: Session, project: Project, known: States, after: States) -> int:
    """Write the rows that differ; how many labels changed. Those carry the labels_version that the caller's bump leads
    to. What is on a deleted task was no label before and is none now.
    """
    now = current(session, project).labels_version
    differ = {i: state.task_id for i, state in after.items() if state.label != label_of(known.get(i))}
    gone = deleted_among(session, project, {task for task in differ.values() if task is not None})
    changed = {i for i, task in differ.items() if task not in gone}
    rows = [
        state._replace(content_version=now + 1 if i in changed else known[i].content_version if i in known else now)
        for i, state in after.items()
        if state != known.get(i)
    ]
    # the text is canonical JSON already: as a JSON value it would be encoded twice
    statement = insert(Annotation).values(result=bindparam("result_text", type_=Text))
    names = (
        "task_id",
        "annotator",
        "result",
        "was_cancelled",
        "updated_at",
        "content_version",
        "deleted",
        "deleted_at",
    )
    statement = statement.on_conflict_do_update(
        index_elements=[Annotation.project_id, Annotation.annotation_id],
        set_={name: statement.excluded[name] for name in names},
    )
    execute_many(session, statement, (_values(project, state) for state in rows))
    return len(changed)


def _values(project: Project, state: AnnotationState) -> dict[str, Any]:
    return {
        "project_id": project.id,
        "annotation_id": state.annotation_id,
        "task_id": state.task_id,
        "annotator": state.annotator,
        "result_text": state.text,
        "was_cancelled": state.was_cancelled,
        "updated_at": state.updated_at,
        "content_version": state.content_version,
        "deleted": state.deleted,
        "deleted_at": state.deleted_at,
    }
