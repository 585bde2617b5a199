"""Annotation events for the tests, and what a store should say after them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ml_backend.store import annotations as rows
from ml_backend.store import projects
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.tables import Annotation, Project


@dataclass(frozen=True)
class Deletion:
    """An annotation's id was told to be deleted, `at` on our clock."""

    annotation_id: int
    at: float


Event = AnnotationRow | Deletion


def said(number: int, choice: str, updated_at: float, *, task: int = 1, skipped: bool = False) -> AnnotationRow:
    result = [{"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": [choice]}}]
    return AnnotationRow(number, task, "1", result, skipped, updated_at)


def tell(db: Database, project: Project, *events: Event) -> int:
    """As the webhook does: one transaction, the version moved by what changed. Returns how many labels changed."""
    with db.write() as session:
        changed = 0
        for event in events:
            if isinstance(event, AnnotationRow):
                changed += rows.apply(session, project, event)
            else:
                changed += rows.count_labels(session, project, [event.annotation_id])
                rows.tombstone(session, project, [event.annotation_id], event.at)
        projects.touch_labels(session, project, changed, 1.0)
    return changed


def reconcile(
    db: Database, project: Project, exported: Iterable[AnnotationRow], as_of: float, since: int | None = None
) -> int:
    """since: None when no label changed while the export ran."""
    since = labels_version(db, project) if since is None else since
    with db.write() as session:
        changed = rows.replace_all(session, project, exported, as_of, since_version=since)
        projects.touch_labels(session, project, changed, 1.0)
    return changed


def labels(db: Database, project: Project) -> dict[int, str]:
    """Choice by annotation id, of all labels."""
    with db.read() as session:
        return {row.annotation_id: row.result[0]["value"]["choices"][0] for row in rows.live(session, project)}


def content(db: Database, project: Project, ids: Iterable[int]) -> list[tuple[object, ...]]:
    """Every column but the versions, which count the transactions."""
    with db.read() as session:
        return [_content(row) for row in rows.by_ids(session, project, ids)]


def labels_version(db: Database, project: Project) -> int:
    with db.read() as session:
        return projects.ensure(session, project.uid).labels_version


def _content(row: Annotation) -> tuple[object, ...]:
    return (
        row.annotation_id,
        row.task_id,
        row.annotator,
        row.result,
        row.was_cancelled,
        row.updated_at,
        row.deleted,
        row.deleted_at,
    )
