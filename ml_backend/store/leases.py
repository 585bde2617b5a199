"""Leases: one worker at a time on a project. Taken in a write transaction, so two processes never both get one."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ml_backend.store.tables import Lease, Project


def acquire(session: Session, project: Project, owner: str, seconds: float, now: float) -> bool:
    """Take a lease that is free, expired or already the owner's; it lasts until now + seconds. One that lasts longer
    than twice that is of a time before the clock was put back, and counts as expired.
    """
    lease = session.get(Lease, project.id, populate_existing=True)
    if lease is None:
        session.add(Lease(project_id=project.id, owner=owner, expires_at=now + seconds))
    elif lease.owner == owner or not now < lease.expires_at <= now + 2 * seconds:
        lease.owner, lease.expires_at = owner, now + seconds
    else:
        return False
    session.flush()
    return True


def renew(session: Session, project: Project, owner: str, seconds: float, now: float) -> bool:
    """Hold it longer; False when it is another's or gone. An expired one that nobody took is still the owner's."""
    lease = session.get(Lease, project.id, populate_existing=True)
    if lease is None or lease.owner != owner:
        return False
    lease.expires_at = now + seconds
    session.flush()
    return True


def release(session: Session, project: Project, owner: str) -> None:
    """Give it back; nothing happens when it is another's."""
    session.execute(delete(Lease).where(Lease.project_id == project.id, Lease.owner == owner))


def holder(session: Session, project: Project, now: float) -> str | None:
    """Who holds it now."""
    lease = session.get(Lease, project.id, populate_existing=True)
    return lease.owner if lease is not None and lease.expires_at > now else None
