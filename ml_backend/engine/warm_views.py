"""Keeps views ready, so that no request waits while a new one is loaded and scored: those of connected projects, and of
whatever this process was asked about. Of a deleted project nothing is kept.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Container

from sqlalchemy import func, select

from ml_backend.engine.engine import Engine
from ml_backend.errors import LanternError
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Publication

log = logging.getLogger(__name__)

CHECK_SECONDS = 0.5

Key = tuple[object, ...]


class WarmViews:
    """A thread of one process. What it fails at is left to the request that needs it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: dict[str, Key] = {}
        self._stop = threading.Event()

    def start(self, stopping: Callable[[], bool] = lambda: False) -> threading.Thread:
        """Until the process ends, `stop` is called or `stopping` says so."""
        thread = threading.Thread(target=self._run, args=(stopping,), name="warm-views", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Ends the thread after the view that it is at."""
        self._stop.set()

    def check(self) -> list[str]:
        """One look: makes the views that have changed and lets go of deleted projects; the uids of those made."""
        viewed = self._engine.viewed()
        keys = _keys(self._engine.db, viewed)
        for uid in viewed - keys.keys():
            self._engine.forget(uid)
        changed = [uid for uid, key in keys.items() if self._seen.get(uid) != key]
        self._seen = keys  # now, so that what fails is not tried again before it changes
        for uid in changed:
            try:
                view = self._engine.view(uid)
                if view is not None:
                    view.scored  # noqa: B018  # made once, kept in the view
            except LanternError as error:
                log.warning("the view of project %s could not be made ready: %s", uid, error)
        return changed

    def _run(self, stopping: Callable[[], bool]) -> None:
        while not self._stop.wait(CHECK_SECONDS) and not stopping():
            try:
                self.check()
            except Exception:  # the thread must go on: without it every request pays
                log.exception("views could not be made ready")


def _keys(db: Database, also: Container[str]) -> dict[str, Key]:
    """Of the projects that have a publication: what changes whenever their view does, in one short query.

    also: uids that count although nobody connected them.
    """
    newest = func.max(Publication.number)
    query = (
        select(
            Project.uid, Project.labels_version, Project.data_version, Project.extra_params, Project.connection, newest
        )
        .join(Publication, Publication.project_id == Project.id)
        .where(Project.deleted.is_(False))
        .group_by(Project.id)
    )
    with db.read() as session:
        return {
            uid: (labels, data, repr(extra), number)
            for uid, labels, data, extra, connection, number in session.execute(query)
            if connection.get("connected") or uid in also
        }
