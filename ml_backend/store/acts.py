"""Acts: what a person did on the map, each undone and done again as a whole.

What an annotation should become is always worked out anew from what it was before and the acts that are not undone, in
order. So a newer label replaces an older one of the same person, undoing the newer one brings the older one back, and
undoing the older one leaves the newer one alone.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ml_backend.data.edits import Content, Edit, apply_edits, aside_kind
from ml_backend.store import outbox, projects
from ml_backend.store.bulk import chunks, execute_many
from ml_backend.store.outbox import State
from ml_backend.store.tables import Act, ActItem, Annotation, OutboxEntry, Project


@dataclass(frozen=True)
class Author:
    """The person who acts. id: of the Label Studio user."""

    id: int
    name: str


@dataclass(frozen=True)
class Deed:
    """What an act says. edits: what is done to an annotation, by the key that a target names."""

    kind: str
    control: str | None
    label: str | None
    edits: Mapping[str, Edit]


@dataclass(frozen=True)
class Target:
    """One annotation that an act is about: the author's own of a task, or, with annotation_id, another person's."""

    task_id: int
    answer: str
    annotation_id: int | None = None


@dataclass(frozen=True)
class Progress:
    """How far Label Studio is with one act. error: of one annotation that waits or failed."""

    sent: int
    waiting: int
    failed: int
    error: str | None

    @property
    def total(self) -> int:
        """Annotations that the act is about."""
        return self.sent + self.waiting + self.failed


def record(
    session: Session, project: Project, author: Author, deed: Deed, targets: Sequence[Target], now: float
) -> Act:
    """Write an act down: it counts from the end of this transaction on, and waits in the outbox."""
    act = Act(
        project_id=project.id,
        kind=deed.kind,
        control=deed.control,
        label=deed.label,
        person_id=author.id,
        person_name=author.name,
        edits=dict(deed.edits),
        created_at=now,
        undone=False,
    )
    session.add(act)
    session.flush()
    entries = _entries(session, project, author, targets)
    items = [
        {"act_id": act.id, "entry_id": entry.id, "answer": target.answer}
        for target, entry in zip(targets, entries, strict=True)
    ]
    execute_many(session, ActItem.__table__.insert(), items)  # type: ignore[attr-defined]
    projects.touch_labels(session, project, _rework(session, entries), now)
    return act


def undo(session: Session, project: Project, act: Act, now: float) -> int:
    """Take an act back; how many annotations stay as they are because somebody changed them in Label Studio since."""
    act.undone = True
    return _again(session, project, act, now)


def redo(session: Session, project: Project, act: Act, now: float) -> int:
    """Do an act again that was undone; how many annotations stay as they are (see `undo`)."""
    act.undone = False
    return _again(session, project, act, now)


def find(session: Session, project: Project, act_id: int) -> Act | None:
    """The act with this number."""
    return session.scalar(select(Act).where(Act.project_id == project.id, Act.id == act_id))


def list_newest(session: Session, project: Project, limit: int = 50) -> list[Act]:
    """The last ones, newest first."""
    query = select(Act).where(Act.project_id == project.id).order_by(Act.id.desc()).limit(limit)
    return list(session.scalars(query))


def progress(session: Session, acts: Iterable[Act]) -> dict[int, Progress]:
    """By act."""
    ids = [act.id for act in acts]
    query = (
        select(ActItem.act_id, OutboxEntry.state, func.count(), func.max(OutboxEntry.error))
        .join(OutboxEntry, OutboxEntry.id == ActItem.entry_id)
        .group_by(ActItem.act_id, OutboxEntry.state)
    )
    counted: dict[int, dict[str, int]] = defaultdict(dict)
    errors: dict[int, str] = {}
    for chunk in chunks(ids):
        for act_id, state, n, error in session.execute(query.where(ActItem.act_id.in_(chunk))):
            counted[act_id][state] = n
            if error and (state == State.FAILED or act_id not in errors):
                errors[act_id] = error
    return {
        i: Progress(
            sent=counted[i].get(State.SENT, 0),
            waiting=counted[i].get(State.WAITING, 0),
            failed=counted[i].get(State.FAILED, 0),
            error=errors.get(i),
        )
        for i in ids
    }


def _again(session: Session, project: Project, act: Act, now: float) -> int:
    items = select(ActItem.entry_id).where(ActItem.act_id == act.id)
    query = select(OutboxEntry).where(OutboxEntry.id.in_(items)).order_by(OutboxEntry.id)
    entries = list(session.scalars(query.execution_options(populate_existing=True)))
    _close_changed(session, project, entries)
    session.flush()
    projects.touch_labels(session, project, _rework(session, entries), now)
    return sum(entry.closed for entry in entries)


def _rework(session: Session, entries: Sequence[OutboxEntry]) -> int:
    """Work out anew what the annotations should become; how many changed."""
    edits: dict[int, list[Edit]] = defaultdict(list)
    query = (
        select(ActItem.entry_id, ActItem.answer, Act.id, Act.edits)
        .join(Act, Act.id == ActItem.act_id)
        .where(Act.undone.is_(False))
        .order_by(Act.id)
    )
    for chunk in chunks(entry.id for entry in entries):
        for entry_id, answer, _, of_act in session.execute(query.where(ActItem.entry_id.in_(chunk))):
            edits[entry_id].append(of_act[answer])
    changed = 0
    for entry in entries:
        if not entry.closed:
            todo = edits[entry.id]
            changed += outbox.write(entry, apply_edits(entry.base, todo, entry.unique_id), aside_kind(todo))
    session.flush()
    return changed


def _entries(session: Session, project: Project, author: Author, targets: Sequence[Target]) -> list[OutboxEntry]:
    """The entry of each target, in order: the open one, or a new one on top of what is there now."""
    own = _Slots(session, project, author)
    own.load(targets)
    entries = [own.entry(target) for target in targets]
    session.add_all(entries)
    session.flush()
    return entries


class _Slots:
    """Open entries and annotations of the tasks that an act is about."""

    def __init__(self, session: Session, project: Project, author: Author) -> None:
        self._session = session
        self._project = project
        self._author = author
        self._open: dict[tuple[int, str], OutboxEntry] = {}
        self._by_annotation: dict[int, OutboxEntry] = {}
        self._rows: dict[int, Annotation] = {}
        self._own: dict[int, Annotation] = {}

    def load(self, targets: Sequence[Target]) -> None:
        """Read all of it."""
        person = str(self._author.id)
        for chunk in chunks(sorted({target.task_id for target in targets})):
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
                    self._open[entry.task_id, person] = entry
                if entry.annotation_id is not None:
                    self._by_annotation[entry.annotation_id] = entry

    def entry(self, target: Target) -> OutboxEntry:
        """Where the target's annotation is written down."""
        if target.annotation_id is None:
            row = self._own.get(target.task_id)
            found = self._open.get((target.task_id, str(self._author.id)))
        else:
            row = self._rows[target.annotation_id]
            found = self._by_annotation.get(target.annotation_id)
        if found is not None:
            if found.person_id == self._author.id and not _is_changed(found, row):
                return found
            found.closed = True
            if found.state == State.WAITING:  # what another person was about to make of this annotation
                found.state = State.SENT
        return self._new(target.task_id, row)

    def _new(self, task_id: int, row: Annotation | None) -> OutboxEntry:
        before = content_of(row)
        return OutboxEntry(
            project_id=self._project.id,
            task_id=task_id,
            person_id=self._author.id,
            annotator=str(self._author.id) if row is None else row.annotator or "",
            unique_id=str(uuid.uuid4()),
            annotation_id=None if row is None else row.annotation_id,
            base=before,
            there=before,
            wanted=before,
            aside=None,
            state=State.SENT,
            closed=False,
            attempts=0,
            retry_at=0.0,
        )


def content_of(row: Annotation | None) -> Content | None:
    """What an annotation says."""
    return None if row is None else {"result": row.result, "was_cancelled": row.was_cancelled}


def _close_changed(session: Session, project: Project, entries: Sequence[OutboxEntry]) -> None:
    """What somebody changed in Label Studio since it was sent is theirs now."""
    rows: dict[int, Annotation] = {}
    for chunk in chunks(e.annotation_id for e in entries if e.annotation_id is not None):
        query = select(Annotation).where(Annotation.project_id == project.id, Annotation.annotation_id.in_(chunk))
        rows |= {row.annotation_id: row for row in session.scalars(query) if not row.deleted}
    for entry in entries:
        if entry.annotation_id is not None and _is_changed(entry, rows.get(entry.annotation_id)):
            entry.closed = True


def _is_changed(entry: OutboxEntry, row: Annotation | None) -> bool:
    """Whether the annotation is no longer as it was sent. row: the one that the entry is about, as it is now."""
    if entry.state != State.SENT:
        return False
    if entry.annotation_id is None:
        return row is not None
    return row is None or row.annotation_id != entry.annotation_id or content_of(row) != entry.there
