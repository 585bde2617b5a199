"""Tells the worker that somebody looks at a project's map while it trains: only then it shows frames."""

from __future__ import annotations

import logging
import threading
import time

from ml_backend.errors import StoreError
from ml_backend.store import layouts, projects
from ml_backend.store.database import Database

log = logging.getLogger(__name__)

WATCHED_SECONDS = 20.0
AGAIN_SECONDS = 5.0
"""How often it is told: each time is a write."""
WAIT_SECONDS = 0.05
"""For another write: this one can wait until the next time."""


class Watch:
    """One a process. Safe for threads."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def keep(self, uid: str, *, training: bool) -> None:
        """Somebody looks now. Writes nothing while no training is wanted."""
        now = time.monotonic()
        with self._lock:
            if not training or now - self._told.get(uid, -AGAIN_SECONDS) < AGAIN_SECONDS:
                return
            self._told[uid] = now
        try:
            with self._db.write(wait_seconds=WAIT_SECONDS) as session:
                layouts.watch(session, projects.ensure(session, uid), time.time() + WATCHED_SECONDS)
        except StoreError as error:
            log.info("project %s: the watch on the map could not be written: %s", uid, error)
            with self._lock:
                self._told.pop(uid, None)
