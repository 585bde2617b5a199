"""Publications: the pointer that makes complete files count. Written last, in one transaction."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ml_backend.store.tables import Project, Publication


def next_number(session: Session, project: Project) -> int:
    """The number that `add` gives in this transaction. `prune` keeps the newest, so no number comes twice."""
    latest = newest(session, project)
    return 1 if latest is None else latest.number + 1


def add(
    session: Session,
    project: Project,
    *,
    model_version: str,
    data_version: int,
    labels_version: int,
    model_path: str,
    description_path: str,
    trained: bool,
    now: float,
) -> Publication:
    """Publish: call it only when both paths hold complete artifacts."""
    publication = Publication(
        project_id=project.id,
        number=next_number(session, project),
        model_version=model_version,
        data_version=data_version,
        labels_version=labels_version,
        model_path=model_path,
        description_path=description_path,
        trained=trained,
        created_at=now,
    )
    session.add(publication)
    session.flush()
    return publication


def newest(session: Session, project: Project) -> Publication | None:
    """The one that counts."""
    return previous(session, project, before=None)


def previous(session: Session, project: Project, before: int | None) -> Publication | None:
    """The newest one with a smaller number: what serves when the files of `before` are broken. None = no limit."""
    query = select(Publication).where(Publication.project_id == project.id).order_by(Publication.number.desc()).limit(1)
    return session.scalar(query if before is None else query.where(Publication.number < before))


def list_all(session: Session, project: Project) -> list[Publication]:
    """All of a project, newest first."""
    query = select(Publication).where(Publication.project_id == project.id).order_by(Publication.number.desc())
    return list(session.scalars(query))


def stands_for(session: Session, project: Project, data_version: int) -> None:
    """The newest one is as good for these task versions: what changed since left its rows as they are."""
    latest = newest(session, project)
    if latest is not None:
        latest.data_version = data_version
        session.flush()


def prune(session: Session, project: Project, keep: int) -> list[Publication]:
    """Forget all but the newest `keep` (at least 1). Returns those kept, newest first: files that none of them names
    may go.
    """
    kept = list_all(session, project)[: max(1, keep)]
    if kept:
        oldest = kept[-1].number
        session.execute(delete(Publication).where(Publication.project_id == project.id, Publication.number < oldest))
    return kept
