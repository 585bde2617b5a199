"""Training runs: queued -> running -> done | failed. A run that kills its worker three times is failed, not tried for
ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.store.tables import JsonObject, Project, TrainingRun

MAX_ATTEMPTS = 3
"""How often a run may be begun."""


class Status(StrEnum):
    """Where a run is; done and failed are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_UNFINISHED = (Status.QUEUED, Status.RUNNING)


def create(session: Session, project: Project, request: JsonObject, now: float) -> TrainingRun:
    """A queued run. request: what is to be trained, as the engine reads it again after a crash."""
    run = TrainingRun(
        project_id=project.id, status=Status.QUEUED, request=request, epochs=[], attempts=0, created_at=now
    )
    session.add(run)
    session.flush()
    return run


def unfinished(session: Session, project: Project) -> TrainingRun | None:
    """The oldest run that is not over: one that a dead worker left, when the caller holds the lease."""
    query = select(TrainingRun).where(TrainingRun.project_id == project.id, TrainingRun.status.in_(_UNFINISHED))
    return session.scalar(query.order_by(TrainingRun.id).limit(1))


def start(session: Session, run: TrainingRun | int, now: float) -> bool:
    """Begin it (again), under the project's lease. False: it was begun MAX_ATTEMPTS times and is failed now, or it is
    over.
    """
    row = _row(session, run)
    if row.status not in _UNFINISHED:
        return False
    if row.attempts >= MAX_ATTEMPTS:
        fail(session, row, f"its worker died {row.attempts} times; it is not tried again", now)
        return False
    row.status, row.attempts, row.started_at = Status.RUNNING, row.attempts + 1, now
    row.phase, row.epochs = None, []
    session.flush()
    return True


def epoch(session: Session, run: TrainingRun | int, report: Mapping[str, object], *, phase: str | None = None) -> None:
    """Add one epoch's report (plain JSON)."""
    row = _row(session, run)
    row.epochs = [*row.epochs, dict(report)]
    row.phase = phase or row.phase
    session.flush()


def put_back(session: Session, run: TrainingRun | int) -> None:
    """It was interrupted on purpose (a shutdown): it waits again, and this begin does not count against it."""
    row = _row(session, run)
    row.status, row.attempts, row.started_at = Status.QUEUED, max(0, row.attempts - 1), None
    session.flush()


def finish(session: Session, run: TrainingRun | int, publication_number: int | None, now: float) -> None:
    """It is done; publication_number: what came of it, None when nothing new had to be published."""
    row = _row(session, run)
    row.status, row.publication_number, row.finished_at, row.error = Status.DONE, publication_number, now, None
    session.flush()


def fail(session: Session, run: TrainingRun | int, error: str, now: float) -> None:
    """It is over without result; error: one sentence for the user."""
    row = _row(session, run)
    row.status, row.error, row.finished_at = Status.FAILED, error, now
    session.flush()


def newest(session: Session, project: Project) -> TrainingRun | None:
    """The last one made."""
    query = select(TrainingRun).where(TrainingRun.project_id == project.id).order_by(TrainingRun.id.desc()).limit(1)
    return session.scalar(query)


def list_newest(session: Session, project: Project, limit: int = 20) -> list[TrainingRun]:
    """The last ones made, newest first."""
    query = select(TrainingRun).where(TrainingRun.project_id == project.id).order_by(TrainingRun.id.desc())
    return list(session.scalars(query.limit(limit)))


def _row(session: Session, run: TrainingRun | int) -> TrainingRun:
    if isinstance(run, TrainingRun) and run in session:
        return run
    return session.get_one(TrainingRun, run if isinstance(run, int) else run.id)
