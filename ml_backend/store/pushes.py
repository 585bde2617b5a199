"""Pushes: bulk imports of predictions into Label Studio, and the old versions that remain to be deleted there."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ml_backend.store.tables import Project, Push

KEPT = 100
"""Pushes of a project that stay on record when they are over."""


class State(StrEnum):
    """Where a push is; done and failed are final."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


def start(
    session: Session,
    project: Project,
    *,
    model_version: str,
    now: float,
    publication_number: int | None = None,
    labels_version: int | None = None,
    old_versions: Iterable[str] = (),
) -> Push:
    """A new push, begun now, with the next number of the project. Of the others the newest KEPT stay, and those with
    something left to do.
    """
    number = (session.scalar(select(func.max(Push.number)).where(Push.project_id == project.id)) or 0) + 1
    _forget(session, project, number - KEPT)
    push = Push(
        project_id=project.id,
        number=number,
        model_version=model_version,
        publication_number=publication_number,
        labels_version=labels_version,
        state=State.RUNNING,
        sent=0,
        created=0,
        started_at=now,
        old_versions=list(old_versions),
    )
    session.add(push)
    session.flush()
    return push


def progress(session: Session, push: Push, *, sent: int, created: int) -> None:
    """Add a batch: sent by us, created as Label Studio answered."""
    row = _row(session, push)
    row.sent += sent
    row.created += created
    session.flush()


def finish(session: Session, push: Push, now: float) -> None:
    """All batches are in and Label Studio points at them."""
    row = _row(session, push)
    row.state, row.finished_at, row.error = State.DONE, now, None
    session.flush()


def fail(session: Session, push: Push, error: str, now: float) -> None:
    """It is over; error: one sentence for the user. A later push brings what this one did not; what it did is to be
    deleted.
    """
    row = _row(session, push)
    row.state, row.finished_at, row.error = State.FAILED, now, error
    row.old_versions = [*row.old_versions, row.model_version]
    session.flush()


def set_old_versions(session: Session, push: Push, versions: Iterable[str]) -> None:
    """The model versions that are still to be deleted in Label Studio."""
    _row(session, push).old_versions = list(versions)
    session.flush()


def take_old_versions(session: Session, project: Project) -> list[str]:
    """All model versions still to be deleted, taken off the pushes that had them: the caller gives them to another."""
    waiting = with_old_versions(session, project)
    taken = {version for push in waiting for version in push.old_versions}
    for push in waiting:
        push.old_versions = []
    session.flush()
    return sorted(taken)


def newest(session: Session, project: Project, state: State | None = None) -> Push | None:
    """The last one, or the last one in that state."""
    query = select(Push).where(Push.project_id == project.id).order_by(Push.number.desc()).limit(1)
    return session.scalar(query if state is None else query.where(Push.state == state))


def unfinished(session: Session, project: Project) -> list[Push]:
    """Those still marked running: left by a dead worker, when the caller holds the lease."""
    query = select(Push).where(Push.project_id == project.id, Push.state == State.RUNNING).order_by(Push.number)
    return list(session.scalars(query))


def with_old_versions(session: Session, project: Project) -> list[Push]:
    """Those with model versions still to be deleted, oldest first."""
    query = select(Push).where(Push.project_id == project.id, func.json_array_length(Push.old_versions) > 0)
    return list(session.scalars(query.order_by(Push.number)))


def _forget(session: Session, project: Project, until: int) -> None:
    """What is over up to that number, but for the last one that is done: its predictions may be shown again."""
    done = newest(session, project, State.DONE)
    session.execute(
        delete(Push).where(
            Push.project_id == project.id,
            Push.number <= until,
            Push.state != State.RUNNING,
            Push.number != (done.number if done is not None else 0),
            func.json_array_length(Push.old_versions) == 0,
        )
    )


def _row(session: Session, push: Push) -> Push:
    return push if push in session else session.get_one(Push, (push.project_id, push.number))
