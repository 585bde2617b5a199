"""The outbox: annotations as people want them in Label Studio, until Label Studio has them so.

An entry is one annotation of one task: what it was before (`base`), what Label Studio has by all we know (`there`) and
what it should become (`wanted`); None stands for no annotation. Whoever sends claims entries first, so that two
processes never send the same one; a claim that nobody ends (its process died) runs out. `attempts` > 0 says that the
answer to the last call is not known: Label Studio may have acted on it, so that it has one of what was `tried`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Select, case, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from ml_backend.data.edits import Content
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.bulk import chunks
from ml_backend.store.tables import Annotation, OutboxEntry, Project


class State(StrEnum):
    """Where an entry is. A failed one waits for a person to try again."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Waiting(NamedTuple):
    """What a waiting entry says, without what the sender needs."""

    task_id: int
    annotator: str
    annotation_id: int | None
    wanted: Content | None
    aside: str | None


@dataclass(frozen=True)
class Hidden:
    """Annotations that a waiting entry speaks for: by id, or, while the id is not known, by task and person."""

    ids: frozenset[int]
    pairs: frozenset[tuple[int, str]]

    @classmethod
    def of(cls, waiting: Iterable[Waiting]) -> Hidden:
        """What these entries speak for."""
        entries = list(waiting)
        return cls(
            frozenset(e.annotation_id for e in entries if e.annotation_id is not None),
            frozenset((e.task_id, e.annotator) for e in entries if e.annotation_id is None),
        )

    def __bool__(self) -> bool:
        return bool(self.ids or self.pairs)

    def covers(self, annotation_id: int, task_id: int | None, annotator: str | None) -> bool:
        """Whether this annotation is one of them."""
        return annotation_id in self.ids or (task_id, annotator) in self.pairs


@dataclass(frozen=True)
class Counts:
    """Entries by state."""

    waiting: int
    failed: int
    sent: int


def waiting(session: Session, project: Project, tasks: Sequence[int] | None = None) -> list[Waiting]:
    """Entries that Label Studio has not confirmed, in order; of these tasks (at most one query's) where given."""
    query = _select_waiting(project)
    if tasks is not None:
        query = query.where(OutboxEntry.task_id.in_(tasks))
    return [Waiting(*row) for row in session.execute(query.order_by(OutboxEntry.id))]


def hidden_among(session: Session, project: Project, task_ids: Iterable[int | None], ids: Iterable[int]) -> Hidden:
    """What waiting entries speak for, of annotations of these tasks or with these ids."""
    found: list[Waiting] = []
    for column, values in (
        (OutboxEntry.task_id, sorted({t for t in task_ids if t is not None})),
        (OutboxEntry.annotation_id, sorted(set(ids))),
    ):
        for chunk in chunks(values):
            found += [Waiting(*row) for row in session.execute(_select_waiting(project).where(column.in_(chunk)))]
    return Hidden.of(found)


def counts(session: Session, project: Project) -> Counts:
    """How much waits, failed and was sent."""
    query = select(OutboxEntry.state, func.count()).where(OutboxEntry.project_id == project.id)
    found = {str(state): n for state, n in session.execute(query.group_by(OutboxEntry.state))}
    return Counts(*(found.get(state, 0) for state in (State.WAITING, State.FAILED, State.SENT)))


def pending_tasks(session: Session, project: Project) -> set[int]:
    """Tasks with a change that Label Studio has not confirmed."""
    query = select(OutboxEntry.task_id).where(OutboxEntry.project_id == project.id, OutboxEntry.state == State.WAITING)
    return set(session.scalars(query))


def set_aside(session: Session, project: Project) -> dict[int, str]:
    """Tasks that somebody gave no answer to -> why: skip, unsure or never_seen. Some may have a label all the same, of
    another person; a skip in Label Studio itself counts too.
    """
    pending = waiting(session, project)
    hidden = Hidden.of(pending)
    kinds = select(OutboxEntry.annotation_id, OutboxEntry.aside).where(
        OutboxEntry.project_id == project.id, OutboxEntry.state == State.SENT, OutboxEntry.aside.is_not(None)
    )
    why = {number: str(kind) for number, kind in session.execute(kinds.order_by(OutboxEntry.id))}
    skipped = select(Annotation.annotation_id, Annotation.task_id, Annotation.annotator).where(
        Annotation.project_id == project.id, Annotation.deleted.is_(False), Annotation.was_cancelled.is_(True)
    )
    found = {
        task_id: why.get(number) or "skip"
        for number, task_id, annotator in session.execute(skipped.order_by(Annotation.annotation_id))
        if task_id is not None and not hidden.covers(number, task_id, annotator)
    }
    return found | {e.task_id: e.aside for e in pending if e.aside is not None and e.wanted is not None}


def write(entry: OutboxEntry, wanted: Content | None, aside: str | None) -> bool:
    """Say what an annotation should become; whether that is a change. Nothing has to be sent when it is so already."""
    if entry.wanted == wanted and entry.aside == aside and entry.state != State.FAILED:
        return False
    entry.wanted, entry.aside, entry.error, entry.retry_at = wanted, aside, None, 0.0
    is_so = entry.attempts == 0 and entry.there == wanted
    entry.state = State.SENT if is_so else State.WAITING
    return True


def claim(
    session: Session, project: Project, person_id: int, owner: str, limit: int, seconds: float, now: float
) -> list[OutboxEntry]:
    """Take entries of a person to send, oldest first; nobody else gets them until now + seconds."""
    query = (
        select(OutboxEntry)
        .where(
            *_waits(project, person_id),
            OutboxEntry.retry_at <= now,
            or_(OutboxEntry.claimed_by.is_(None), OutboxEntry.claimed_until <= now),
        )
        .order_by(OutboxEntry.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    entries = list(session.scalars(query))
    for entry in entries:
        entry.claimed_by, entry.claimed_until, entry.attempts = owner, now + seconds, entry.attempts + 1
        if entry.wanted not in entry.tried:
            entry.tried = [*entry.tried, entry.wanted]
    session.flush()
    return entries


def still_claimed(session: Session, project: Project, owner: str) -> set[int]:
    """Entries that are this owner's: of one that was slower than its claim lasts, another may know better by now."""
    mine = (OutboxEntry.project_id == project.id, OutboxEntry.claimed_by == owner)
    return set(session.scalars(select(OutboxEntry.id).where(*mine)))


def next_try(session: Session, project: Project, person_id: int) -> float | None:
    """When the next entry of a person may be sent (epoch seconds); None when none waits."""
    claimed_until = func.coalesce(OutboxEntry.claimed_until, 0.0)
    free_at = case((OutboxEntry.retry_at > claimed_until, OutboxEntry.retry_at), else_=claimed_until)
    found: float | None = session.scalar(select(func.min(free_at)).where(*_waits(project, person_id)))
    return found


def confirm(
    session: Session, project: Project, entry_id: int, sent: Content | None, row: AnnotationRow | None, now: float
) -> None:
    """Label Studio has it as it was `sent`. row: the annotation as it answered; None = there is none (any more).

    The annotation counts by itself from now on. What the person wanted meanwhile is still to be sent.
    """
    entry = session.get_one(OutboxEntry, entry_id, populate_existing=True)
    if row is not None:
        annotation_rows.apply(session, project, row)
        entry.annotation_id = row.annotation_id
        entry.there = {"result": row.result, "was_cancelled": row.was_cancelled}
    else:
        if entry.annotation_id is not None:
            annotation_rows.tombstone(session, project, [entry.annotation_id], now)
        entry.annotation_id, entry.there, entry.unique_id = None, None, str(uuid.uuid4())
    entry.error, entry.retry_at = None, 0.0
    settle(entry)
    if entry.wanted == sent:
        entry.state = State.SENT
    session.flush()


def settle(entry: OutboxEntry) -> None:
    """What Label Studio has is known again, and nobody is sending."""
    entry.attempts, entry.tried = 0, []
    _release(entry)


def postpone(session: Session, entry_id: int, until: float, error: str, *, counts: bool = True) -> None:
    """It could not be sent now. counts: whether that was this entry's fault, perhaps."""
    entry = session.get_one(OutboxEntry, entry_id, populate_existing=True)
    entry.retry_at, entry.error = until, error
    entry.attempts = entry.attempts if counts else 1
    _release(entry)
    session.flush()


def fail(session: Session, project: Project, entry_id: int, error: str, now: float) -> None:
    """Label Studio refused it: it no longer counts as a label. error: one sentence for the person."""
    entry = session.get_one(OutboxEntry, entry_id, populate_existing=True)
    entry.state, entry.error = State.FAILED, error
    _release(entry)
    projects.touch_labels(session, project, 1, now)


def give_back(session: Session, project: Project, owner: str) -> None:
    """Ends all claims of an owner."""
    mine = (OutboxEntry.project_id == project.id, OutboxEntry.claimed_by == owner)
    session.execute(update(OutboxEntry).where(*mine).values(claimed_by=None, claimed_until=None))


def explain(session: Session, project: Project, person_id: int, error: str) -> None:
    """Says of everything that waits of a person why it does."""
    session.execute(update(OutboxEntry).where(*_waits(project, person_id)).values(error=error))


def is_drained(session: Session, project: Project) -> bool:
    """Whether nothing of the project waits."""
    query = select(OutboxEntry.id).where(OutboxEntry.project_id == project.id, OutboxEntry.state == State.WAITING)
    return session.scalar(query.limit(1)) is None


def retry(session: Session, project: Project, person_id: int, now: float) -> int:
    """Everything of a person that failed waits again, and what waits for its next try need not; how many failed."""
    mine = (OutboxEntry.project_id == project.id, OutboxEntry.person_id == person_id)
    session.execute(update(OutboxEntry).where(*_waits(project, person_id)).values(retry_at=0.0))
    failed = list(session.scalars(select(OutboxEntry).where(*mine, OutboxEntry.state == State.FAILED)))
    for entry in failed:
        entry.state, entry.error, entry.retry_at = State.WAITING, None, 0.0
    projects.touch_labels(session, project, len(failed), now)
    session.flush()
    return len(failed)


def _select_waiting(project: Project) -> Select[int, str, int | None, Content | None, str | None]:
    return select(
        OutboxEntry.task_id, OutboxEntry.annotator, OutboxEntry.annotation_id, OutboxEntry.wanted, OutboxEntry.aside
    ).where(OutboxEntry.project_id == project.id, OutboxEntry.state == State.WAITING)


def _waits(project: Project, person_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        OutboxEntry.project_id == project.id,
        OutboxEntry.state == State.WAITING,
        OutboxEntry.person_id == person_id,
    )


def _release(entry: OutboxEntry) -> None:
    entry.claimed_by, entry.claimed_until = None, None
