"""The worker's duty about the history of the map: it does not grow for ever."""

from __future__ import annotations

import logging
import time

from ml_backend.store import old_acts, projects
from ml_backend.store.database import Database

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0


class OldActsDuty:
    """Worker duty: looks once an hour."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._looked: dict[str, float] = {}

    def due(self, uid: str) -> bool:
        """Whether there are acts to forget."""
        now = time.monotonic()
        if now - self._looked.get(uid, -EVERY_SECONDS) < EVERY_SECONDS:
            return False
        with self._db.read() as session:
            found = old_acts.last_to_forget(session, projects.ensure(session, uid), time.time())
        if found is None:
            self._looked[uid] = now
        return found is not None

    def run(self, uid: str) -> None:
        """Forget them, a part in each transaction."""
        total, part = 0, 1
        while part:
            with self._db.write() as session:
                project = projects.ensure(session, uid)
                last = old_acts.last_to_forget(session, project, time.time())
                part = 0 if last is None else old_acts.forget(session, project, last)
            total += part
        self._looked[uid] = time.monotonic()
        log.info("project %s: %d entries of old acts were forgotten", uid, total)
