"""Annotations that were changed in Label Studio while the outbox had something to do with them.

What a person did last counts, wherever it was. So a change that answers what a newer act answers too is replaced by the
act, and its other answers and regions stay; a change that was made after the act stays as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.data.edits import Content, Edit, answers_alike
from ml_backend.store import acts, outbox, projects
from ml_backend.store import annotations as annotation_rows
from ml_backend.store.act_slots import close, content_of, is_foreign, is_its
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.bulk import chunks
from ml_backend.store.outbox import State
from ml_backend.store.tables import Annotation, OutboxEntry, Project


@dataclass(frozen=True)
class Found:
    """An annotation as Label Studio has it; without content it is gone. at: since when, 0 = nobody knows."""

    annotation_id: int | None
    content: Content | None
    at: float


GONE = Found(None, None, 0.0)


def catch_up(session: Session, project: Project, tasks: Iterable[int | None] | None = None) -> int:
    """Take over what the annotations (of these tasks, where given) say since something waits; how many labels changed.

    Of an entry with a call whose outcome is not known nobody can tell: whoever sends it next looks first.
    """
    entries = _unsent(session, project, tasks)
    rows = _rows(session, project, [entry.task_id for entry in entries])
    found = [(entry, _found(entry, rows.get(entry.task_id, ()))) for entry in entries]
    changed = [(entry, now) for entry, now in found if now is not None and is_foreign(entry, now.content)]
    edits = acts.edits_of(session, [entry for entry, _ in changed])
    n = sum(_take_over(entry, now, edits[entry.id]) for entry, now in changed)
    session.flush()
    return n


def record(session: Session, project: Project, entry_id: int, row: AnnotationRow | None, now: float) -> None:
    """The sender found the annotation otherwise than it was known to be. row None: it is gone; of another task or
    person: so is the entry's, and the store knows little of what Label Studio has now.
    """
    entry = session.get_one(OutboxEntry, entry_id, populate_existing=True)
    found, changed = GONE, 0
    if row is None:
        if entry.annotation_id is not None:
            annotation_rows.tombstone(session, project, [entry.annotation_id], now)
    elif is_its(entry, row):
        annotation_rows.apply(session, project, row)
        found = Found(row.annotation_id, content_of(row), row.updated_at)
    else:
        changed += annotation_rows.apply(session, project, row)
        projects.request_reconcile(session, project, now)
    changed += _take_over(entry, found, acts.edits_of(session, [entry])[entry.id])
    session.flush()
    projects.touch_labels(session, project, changed, now)


def _take_over(entry: OutboxEntry, found: Found, edits: Sequence[Edit]) -> bool:
    """Whether the label that counts changed."""
    known = (entry.there, *entry.tried)
    is_newer = found.at > entry.wanted_at and edits
    is_theirs = is_newer and not any(answers_alike(found.content, one, edits) for one in known)
    entry.annotation_id, entry.there, entry.base = found.annotation_id, found.content, found.content
    if found.annotation_id is None:
        entry.unique_id = str(uuid.uuid4())
    outbox.settle(entry)
    if is_theirs:
        entry.wanted, entry.aside = found.content, None
        close(entry)
        return True
    return acts.rewrite(entry, edits)


def _found(entry: OutboxEntry, rows: Sequence[Annotation]) -> Found | None:
    """The annotation that an entry is about, or that it would double; None where there is none, or where it is another
    person's and gone: then sending it says so.
    """
    if entry.annotation_id is None:
        own = [row for row in rows if row.annotator == entry.annotator and not row.deleted]
        return Found(own[-1].annotation_id, content_of(own[-1]), own[-1].updated_at) if own else None
    row = next((row for row in rows if row.annotation_id == entry.annotation_id), None)
    if row is None or not row.deleted:
        return None if row is None else Found(row.annotation_id, content_of(row), row.updated_at)
    return Found(None, None, row.deleted_at or 0.0) if entry.annotator == str(entry.person_id) else None


def _unsent(session: Session, project: Project, tasks: Iterable[int | None] | None) -> list[OutboxEntry]:
    query = select(OutboxEntry).where(
        OutboxEntry.project_id == project.id, OutboxEntry.state == State.WAITING, OutboxEntry.attempts == 0
    )
    query = query.order_by(OutboxEntry.id).execution_options(populate_existing=True)
    if tasks is None:
        return list(session.scalars(query))
    parts = chunks(sorted({task for task in tasks if task is not None}))
    return [entry for part in parts for entry in session.scalars(query.where(OutboxEntry.task_id.in_(part)))]


def _rows(session: Session, project: Project, tasks: Iterable[int]) -> dict[int, list[Annotation]]:
    """By task, the oldest first."""
    found: dict[int, list[Annotation]] = {}
    for part in chunks(sorted(set(tasks))):
        query = select(Annotation).where(Annotation.project_id == project.id, Annotation.task_id.in_(part))
        query = query.order_by(Annotation.annotation_id).execution_options(populate_existing=True)
        for row in session.scalars(query):
            if row.task_id is not None:
                found.setdefault(row.task_id, []).append(row)
    return found
