"""Layouts of the map, the watch kept on it, and the newest frame of a training. Files first, row last."""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ml_backend.store.tables import Layout, MapWatch, Project


class Kind(StrEnum):
    """How a map was computed."""

    PCA = "pca"
    PACMAP = "pacmap"


def newest(session: Session, project: Project) -> Layout | None:
    """The one that counts."""
    query = select(Layout).where(Layout.project_id == project.id).order_by(Layout.number.desc()).limit(1)
    return session.scalar(query)


def list_all(session: Session, project: Project) -> list[Layout]:
    """All of a project, newest first."""
    return list(session.scalars(select(Layout).where(Layout.project_id == project.id).order_by(Layout.number.desc())))


def next_number(session: Session, project: Project) -> int:
    """The number that the next layout gets. The newest is never pruned, so no number comes twice."""
    latest = newest(session, project)
    return 1 if latest is None else latest.number + 1


def add(
    session: Session,
    project: Project,
    *,
    kind: str,
    publication_number: int,
    description_path: str,
    path: str,
    items: int,
    fitted_to: str,
    fitted_items: int,
    fitted_at: float,
    now: float,
) -> Layout:
    """Make it count: call it only when `path` holds a complete artifact."""
    layout = Layout(
        project_id=project.id,
        number=next_number(session, project),
        kind=kind,
        publication_number=publication_number,
        description_path=description_path,
        path=path,
        items=items,
        fitted_to=fitted_to,
        fitted_items=fitted_items,
        fitted_at=fitted_at,
        created_at=now,
    )
    session.add(layout)
    session.flush()
    return layout


def prune(session: Session, project: Project, keep: int) -> list[Layout]:
    """Forget all but the newest `keep` (at least 1). Returns those kept, newest first."""
    kept = list_all(session, project)[: max(1, keep)]
    if kept:
        oldest = kept[-1].number
        session.execute(delete(Layout).where(Layout.project_id == project.id, Layout.number < oldest))
    return kept


def watch(session: Session, project: Project, until: float) -> None:
    """Somebody looks at the map until then, unless told again; an earlier time than the one known changes nothing."""
    row = _watch_row(session, project)
    row.watched_until = max(row.watched_until, until)
    session.flush()


def watched(session: Session, project: Project, now: float) -> bool:
    """Whether anybody looks at the map now."""
    row = session.get(MapWatch, project.id, populate_existing=True)
    return row is not None and row.watched_until > now


def frame(session: Session, project: Project) -> tuple[int, str | None]:
    """(number, path of the artifact) of the newest frame; the path is None while no training shows anything."""
    row = session.get(MapWatch, project.id, populate_existing=True)
    return (0, None) if row is None else (row.frame, row.frame_path)


def show_frame(session: Session, project: Project, path: str) -> int:
    """The frame's number. Call it only when `path` holds a complete artifact."""
    row = _watch_row(session, project)
    row.frame, row.frame_path = row.frame + 1, path
    session.flush()
    return row.frame


def end_frames(session: Session, project: Project) -> None:
    """The training is over: the publication counts again. Nothing moves when no frame is shown."""
    row = session.get(MapWatch, project.id, populate_existing=True)
    if row is not None and row.frame_path is not None:
        row.frame, row.frame_path = row.frame + 1, None
        session.flush()


def named_paths(session: Session, project: Project) -> Set[str]:
    """Every artifact that a row names."""
    _, shown = frame(session, project)
    return {layout.path for layout in list_all(session, project)} | ({shown} if shown else set())


def _watch_row(session: Session, project: Project) -> MapWatch:
    row = session.get(MapWatch, project.id, populate_existing=True)
    if row is None:
        row = MapWatch(project_id=project.id, watched_until=0.0, frame=0, frame_path=None)
        session.add(row)
    return row
