"""Counters for /metrics: they outlive a restart and are one truth for all processes."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from ml_backend.store.tables import Counter, Project

SERVER = 0
"""project_id of what belongs to no project."""


def add(session: Session, name: str, n: int = 1, project: Project | None = None) -> None:
    """Count n more (n >= 0)."""
    statement = insert(Counter).values(project_id=_key(project), name=name, value=n)
    statement = statement.on_conflict_do_update(
        index_elements=[Counter.project_id, Counter.name], set_={"value": Counter.value + statement.excluded.value}
    )
    session.execute(statement)


def read(session: Session, project: Project | None = None) -> dict[str, int]:
    """Value by name, of a project or of the server."""
    query = select(Counter.name, Counter.value).where(Counter.project_id == _key(project)).order_by(Counter.name)
    return {row.name: row.value for row in session.execute(query)}


def total(session: Session) -> dict[str, int]:
    """Value by name, of the server and all projects together."""
    query = select(Counter.name, func.sum(Counter.value)).group_by(Counter.name).order_by(Counter.name)
    return {name: int(value) for name, value in session.execute(query)}


def _key(project: Project | None) -> int:
    return SERVER if project is None else project.id
