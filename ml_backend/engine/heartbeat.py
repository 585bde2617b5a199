"""Keeps a lease alive while its owner works, from a thread, so that no step has to think of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ml_backend.store import leases, projects
from ml_backend.store.database import Database

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
RENEW_EVERY_SECONDS = 15.0


@contextmanager
def held_lease(db: Database, uid: str, owner: str) -> Iterator[bool]:
    """Yields whether the project's lease is ours; renews it until the block ends, then gives it back."""
    with db.write() as session:
        held = leases.acquire(session, projects.ensure(session, uid), owner, LEASE_SECONDS, time.time())
    if not held:
        yield False
        return
    done = threading.Event()
    thread = threading.Thread(target=_renew, args=(db, uid, owner, done), daemon=True, name=f"lease-{uid}")
    thread.start()
    try:
        yield True
    finally:
        done.set()
        thread.join()
        with db.write() as session:
            leases.release(session, projects.ensure(session, uid), owner)


def _renew(db: Database, uid: str, owner: str, done: threading.Event) -> None:
    while not done.wait(RENEW_EVERY_SECONDS):
        with db.write() as session:
            if not leases.renew(session, projects.ensure(session, uid), owner, LEASE_SECONDS, time.time()):
                log.error("lost the lease on project %s: another worker has it", uid)
                return
