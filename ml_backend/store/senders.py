"""Who sends for whom right now, so that every process knows whose changes wait for nobody.

A person's token is in the memory of the process that was shown it. When that ends, what waits in the outbox goes on
only after the person has shown the token again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from ml_backend.store.outbox import State
from ml_backend.store.tables import Act, OutboxEntry, OutboxSender, Project

FRESH_SECONDS = 3.0
"""What was done just now has a sender in a moment."""


@dataclass(frozen=True)
class Stranded:
    """A person without whom nothing more is sent. waiting: that person's annotations that wait."""

    person_id: int
    name: str
    waiting: int


def beat(session: Session, project: Project, person_id: int, owner: str, until: float) -> None:
    """This owner holds the person's token and sends, until then unless it beats again."""
    values = {"project_id": project.id, "owner": owner, "person_id": person_id, "until": until}
    statement = insert(OutboxSender).values(values)
    keys = [OutboxSender.project_id, OutboxSender.owner]
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_={"until": until}))


def leave(session: Session, project: Project, owner: str, now: float) -> None:
    """This owner sends no more; neither do those that have not beaten any more."""
    gone = (OutboxSender.owner == owner) | (OutboxSender.until <= now)
    session.execute(delete(OutboxSender).where(OutboxSender.project_id == project.id, gone))


def stranded(session: Session, project: Project, now: float) -> list[Stranded]:
    """People with something waiting that nobody sends, by id."""
    waits = and_(OutboxEntry.project_id == project.id, OutboxEntry.state == State.WAITING)
    query = select(OutboxEntry.person_id, func.count(), func.max(OutboxEntry.claimed_until)).where(waits)
    found = session.execute(query.group_by(OutboxEntry.person_id).order_by(OutboxEntry.person_id)).all()
    if not found:
        return []
    here = OutboxSender.project_id == project.id, OutboxSender.until > now
    served = set(session.scalars(select(OutboxSender.person_id).where(*here)))
    return [
        Stranded(person, name, waiting)
        for person, waiting, claimed_until in found
        if person not in served and (claimed_until or 0.0) <= now
        for name, at in [_newest_act(session, project, person)]
        if at <= now - FRESH_SECONDS
    ]


def _newest_act(session: Session, project: Project, person_id: int) -> tuple[str, float]:
    """The person's name, and when the last act was."""
    query = select(Act.person_name, Act.created_at).where(Act.project_id == project.id, Act.person_id == person_id)
    name, at = session.execute(query.order_by(Act.id.desc()).limit(1)).one()
    return name, at
