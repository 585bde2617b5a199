"""Where an act finds the annotations that it is about: entries of the outbox, on top of what Label Studio has now."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.data.edits import Content, says_the_same
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.bulk import chunks
from ml_backend.store.outbox import State
from ml_backend.store.tables import Annotation, OutboxEntry, Project


class Slots:
    """Open entries and annotations of the tasks that an act is about."""

    def __init__(self, session: Session, project: Project, person_id: int, task_ids: Iterable[int]) -> None:
        self._session = session
        self._project = project
        self._person_id = person_id
        self._open: dict[int, OutboxEntry] = {}
        self._by_annotation: dict[int, OutboxEntry] = {}
        self._rows: dict[int, Annotation] = {}
        self._own: dict[int, Annotation] = {}
        self._load(task_ids)

    def entry(self, task_id: int, annotation_id: int | None) -> tuple[OutboxEntry, bool]:
        """Where an annotation is written down (annotation_id None: the person's own of the task), and whether that is
        a new entry.
        """
        if annotation_id is None:
            row = self._own.get(task_id)
            found = self._open.get(task_id)
        else:
            row = self._rows[annotation_id]
            found = self._by_annotation.get(annotation_id)
        if found is not None:
            if found.person_id == self._person_id and not is_changed(found, row):
                return found, False
            close(found)  # waiting: what another person was about to make of this annotation
        return self._new(task_id, row), True

    def _load(self, task_ids: Iterable[int]) -> None:
        person = str(self._person_id)
        for chunk in chunks(sorted(set(task_ids))):
            rows = select(Annotation).where(
                Annotation.project_id == self._project.id, Annotation.task_id.in_(chunk), Annotation.deleted.is_(False)
            )
            for row in self._session.scalars(rows.order_by(Annotation.annotation_id)):
                self._rows[row.annotation_id] = row
                if row.annotator == person and row.task_id is not None:
                    self._own[row.task_id] = row
            entries = select(OutboxEntry).where(
                OutboxEntry.project_id == self._project.id,
                OutboxEntry.task_id.in_(chunk),
                OutboxEntry.closed.is_(False),
            )
            for entry in self._session.scalars(entries.order_by(OutboxEntry.id)):
                if entry.annotator == person:
                    self._open[entry.task_id] = entry
                if entry.annotation_id is not None:
                    self._by_annotation[entry.annotation_id] = entry

    def _new(self, task_id: int, row: Annotation | None) -> OutboxEntry:
        before = content_of(row)
        return OutboxEntry(
            project_id=self._project.id,
            task_id=task_id,
            person_id=self._person_id,
            annotator=str(self._person_id) if row is None else row.annotator or "",
            unique_id=str(uuid.uuid4()),
            annotation_id=None if row is None else row.annotation_id,
            base=before,
            there=before,
            wanted=before,
            aside=None,
            state=State.SENT,
            closed=False,
            wanted_at=0.0,
            attempts=0,
            tried=[],
            retry_at=0.0,
        )


def content_of(row: Annotation | AnnotationRow | None) -> Content | None:
    """What an annotation says."""
    return None if row is None else {"result": row.result, "was_cancelled": row.was_cancelled}


def close_changed(session: Session, project: Project, entries: Sequence[OutboxEntry]) -> None:
    """What somebody changed in Label Studio since it was sent is theirs now."""
    rows: dict[int, Annotation] = {}
    for chunk in chunks(e.annotation_id for e in entries if e.annotation_id is not None):
        query = select(Annotation).where(Annotation.project_id == project.id, Annotation.annotation_id.in_(chunk))
        rows |= {row.annotation_id: row for row in session.scalars(query) if not row.deleted}
    for entry in entries:
        if entry.annotation_id is not None and is_changed(entry, rows.get(entry.annotation_id)):
            close(entry)


def close(entry: OutboxEntry) -> None:
    """The annotation is somebody else's from now on: nothing is sent, and an undo leaves it alone."""
    entry.closed, entry.state, entry.error = True, State.SENT, None


def is_changed(entry: OutboxEntry, row: Annotation | None) -> bool:
    """Whether the annotation is no longer as it was sent. row: the one that the entry is about, as it is now. While an
    entry waits, what was changed is taken over (`overtaken.py`).
    """
    if entry.state == State.WAITING:
        return False
    if entry.annotation_id is not None and (row is None or row.annotation_id != entry.annotation_id):
        return True
    return is_foreign(entry, content_of(row))


def is_its(entry: OutboxEntry, row: AnnotationRow) -> bool:
    """Whether the annotation with an entry's number is the one that the entry is about: of its task and person."""
    return row.task_id == entry.task_id and (row.annotator or "") == entry.annotator


def is_foreign(entry: OutboxEntry, content: Content | None) -> bool:
    """Whether an annotation is neither as Label Studio had it nor as any call of ours may have left it."""
    return not any(says_the_same(content, known) for known in (entry.there, *entry.tried))
