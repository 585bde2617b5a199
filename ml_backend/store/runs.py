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


def get(session: Session, project: Project, run_id: int) -> TrainingRun | None:
    """The project's run of that number."""
    run = session.get(TrainingRun, run_id)
    return run if run is not None and run.project_id == project.id else None


def request_stop(session: Session, project: Project, now: float) -> TrainingRun | None:
    """The unfinished run is to end: one that waits is done at once, one that runs hears of it through `stop_asked`.

    None: there is no such run.
    """
    run = unfinished(session, project)
    if run is None:
        return None
    run.stop_requested_at = run.stop_requested_at or now
    if run.status == Status.QUEUED:
        finish(session, run, None, now)
    session.flush()
    return run


def stop_asked(session: Session, run_id: int) -> bool:
    """Whether a person asked the run to stop; one number is read."""
    return session.scalar(select(TrainingRun.stop_requested_at).where(TrainingRun.id == run_id)) is not None


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


def finish(
    session: Session,
    run: TrainingRun | int,
    publication_number: int | None,
    now: float,
    *,
    model_path: str | None = None,
    effect: JsonObject | None = None,
) -> None:
    """It is done; publication_number: what came of it, None when nothing new had to be published.

    model_path: what `restorable` gives, effect: plain JSON.
    """
    row = _row(session, run)
    row.status, row.publication_number, row.finished_at, row.error = Status.DONE, publication_number, now, None
    row.model_path, row.effect = model_path, effect
    session.flush()


def fail(session: Session, run: TrainingRun | int, error: str, now: float) -> None:
    """It is over without result; error: one sentence for the user."""
    row = _row(session, run)
    row.status, row.error, row.finished_at = Status.FAILED, error, now
    session.flush()


def restorable(session: Session, project: Project) -> list[TrainingRun]:
    """Runs whose model is kept, newest first."""
    query = select(TrainingRun).where(TrainingRun.project_id == project.id, TrainingRun.model_path.is_not(None))
    return list(session.scalars(query.order_by(TrainingRun.id.desc())))


def forget_model(session: Session, run: TrainingRun) -> None:
    """Its model's files may go."""
    run.model_path = None
    session.flush()


def newest_measured(session: Session, project: Project) -> TrainingRun | None:
    """The last one whose effect is known."""
    query = select(TrainingRun).where(TrainingRun.project_id == project.id, TrainingRun.publication_number.is_not(None))
    measured = query.where(TrainingRun.status == Status.DONE, TrainingRun.effect.is_not(None))
    return session.scalar(measured.order_by(TrainingRun.id.desc()).limit(1))


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
