"""Keeps a lease alive while its owner works, from a thread, so that no step has to think of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ml_backend.errors import LeaseLost, StoreError
from ml_backend.store import leases, projects
from ml_backend.store.database import Database

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
RENEW_EVERY_SECONDS = 15.0


def ours() -> None:
    """The default of a `check_lease` (see `ProjectLease.check`): no other worker can be there."""


@dataclass
class _Held:
    """A lease that was ours when it was last renewed (epoch seconds: time that the machine slept counts)."""

    uid: str
    renewed_at: float
    done: threading.Event = field(default_factory=threading.Event)
    lost: bool = False


class ProjectLease:
    """The lease under which one thread works, on one project at a time."""

    def __init__(self, db: Database, owner: str) -> None:
        self._db = db
        self._owner = owner
        self._held: _Held | None = None

    @contextmanager
    def on(self, uid: str) -> Iterator[bool]:
        """Yields whether the project's lease is ours; renews it until the block ends, then gives it back."""
        now = time.time()
        with self._db.write() as session:
            acquired = leases.acquire(session, projects.ensure(session, uid), self._owner, LEASE_SECONDS, now)
        if not acquired:
            yield False
            return
        held = self._held = _Held(uid, now)
        thread = threading.Thread(target=self._keep_renewing, args=(held,), daemon=True, name=f"lease-{uid}")
        thread.start()
        try:
            yield True
        finally:
            self._held = None
            held.done.set()
            thread.join()
            self._release(uid)

    def check(self) -> None:
        """Raises LeaseLost when another worker has taken the project over, which a lease that ran out allows: what is
        under way must end, and nothing of it may be published.
        """
        held = self._held
        if held is None:
            return
        if time.time() > held.renewed_at + LEASE_SECONDS:
            self._renew(held)
        if held.lost:
            raise LeaseLost(f"another worker has taken over project {held.uid}")

    def _keep_renewing(self, held: _Held) -> None:
        while not held.done.wait(RENEW_EVERY_SECONDS) and not held.lost:
            self._renew(held)

    def _renew(self, held: _Held) -> None:
        now = time.time()
        try:
            with self._db.write() as session:
                project = projects.ensure(session, held.uid)
                held.lost = not leases.renew(session, project, self._owner, LEASE_SECONDS, now)
        except StoreError as error:
            log.warning("the lease on project %s is not renewed yet: %s", held.uid, error)
            return
        held.renewed_at = now
        if held.lost:
            log.error("lost the lease on project %s: another worker has it", held.uid)

    def _release(self, uid: str) -> None:
        try:
            with self._db.write() as session:
                leases.release(session, projects.ensure(session, uid), self._owner)
        except StoreError as error:
            log.warning("the lease on project %s is not given back, it runs out by itself: %s", uid, error)
