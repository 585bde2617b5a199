"""When a project is trained by itself: after enough labels and a pause, or after a while without one."""

from __future__ import annotations

import time

from ml_backend.config import Settings
from ml_backend.store import runs
from ml_backend.store.database import Database
from ml_backend.store.tables import Project


class Debounce:
    """Waits for a pause in the labelling, but no longer than one push interval: people who label without a pause would
    put the training off for ever. Remembers since when there are enough labels; a new process begins anew.
    """

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._enough_since: dict[str, tuple[int | None, float]] = {}

    def training_due(self, project: Project) -> bool:
        """Whether a training was asked for, enough labels changed and the wait is over, or a run was left behind."""
        if project.training_requested > project.training_done:
            return True
        if project.labels_changed >= self._settings.start_training_each_n_updates:
            return self._is_quiet(project) or self._waited_enough(project)
        self._enough_since.pop(project.uid, None)
        with self._db.read() as session:
            return runs.unfinished(session, project) is not None

    def _is_quiet(self, project: Project) -> bool:
        """A label of the future says that the clock was put back."""
        return not 0.0 <= time.time() - project.labels_changed_at < self._settings.debounce_seconds

    def _waited_enough(self, project: Project) -> bool:
        """Since the newest run: labels that come while one trains may be enough for the next, which waits again."""
        with self._db.read() as session:
            newest = runs.newest(session, project)
        run = None if newest is None else newest.id
        if project.uid not in self._enough_since or self._enough_since[project.uid][0] != run:
            self._enough_since[project.uid] = run, time.monotonic()
        longest = max(self._settings.push_interval_seconds, self._settings.debounce_seconds)
        return time.monotonic() - self._enough_since[project.uid][1] >= longest
