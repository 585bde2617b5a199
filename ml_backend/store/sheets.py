"""Sheets: pictures of the map that people draw on in Label Studio."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ml_backend.store.tables import MapSheet, Project


def newest(session: Session, project: Project) -> MapSheet | None:
    """The one with the highest number."""
    query = select(MapSheet).where(MapSheet.project_id == project.id).order_by(MapSheet.number.desc()).limit(1)
    return session.scalar(query)


def list_all(session: Session, project: Project) -> list[MapSheet]:
    """All of a project, newest first."""
    query = select(MapSheet).where(MapSheet.project_id == project.id).order_by(MapSheet.number.desc())
    return list(session.scalars(query))


def find(session: Session, project: Project, number: int) -> MapSheet | None:
    """The sheet with this number."""
    return session.get(MapSheet, (project.id, number))


def of_task(session: Session, project: Project, task_id: int) -> MapSheet | None:
    """The sheet that this task of Label Studio shows."""
    query = select(MapSheet).where(MapSheet.project_id == project.id, MapSheet.task_id == task_id)
    return session.scalars(query).first()


def add(
    session: Session, project: Project, *, number: int, layout_number: int, path: str, task_id: int, now: float
) -> MapSheet:
    """A sheet that is there in Label Studio already. Call it only when `path` holds a complete artifact."""
    sheet = MapSheet(
        project_id=project.id,
        number=number,
        layout_number=layout_number,
        path=path,
        task_id=task_id,
        created_at=now,
    )
    session.add(sheet)
    session.flush()
    return sheet


def remove(session: Session, project: Project, number: int) -> None:
    """Forget a sheet; what was drawn on it stays."""
    session.execute(delete(MapSheet).where(MapSheet.project_id == project.id, MapSheet.number == number))
