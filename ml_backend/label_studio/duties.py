"""What the worker does about Label Studio: reconcile, push, clean. When each is due, and how failures wait.

A Label Studio that is down must not keep the engine from training, so failures are caught here: the duty waits,
longer each time, and says why in the project's row, where /status and `lantern doctor` find it.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from http import HTTPStatus

from ml_backend.config import Settings
from ml_backend.engine.heartbeat import ours
from ml_backend.errors import LabelStudioError, LabelStudioRefused, LabelStudioUnreachable
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.cleaning import clean_step, leftovers
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.predictor import Predictor
from ml_backend.label_studio.push import Pusher
from ml_backend.label_studio.reconcile import reconcile
from ml_backend.label_studio.waits import Waits
from ml_backend.store import counters, projects, publications, pushes, runs
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Push

log = logging.getLogger(__name__)

RECONCILE_SHARE = 20.0
"""Time between two periodic reconciles, as a multiple of how long the last one took."""
REQUESTED_SHARE = 5.0
"""The same for one that was asked for."""
PUSH_SHARE = 10.0
"""Time between two pushes, as a multiple of how long the last one took; a training overrides it."""
PUSHED_A_SECOND = 100.0
"""Slowest import that is believed: a push that waited for Label Studio in between did not work all that time."""
MAX_OLD_VERSIONS = 3
"""With more versions than this waiting to be deleted, only a training pushes another."""
FAR_TOO_MANY_OLD_VERSIONS, LONG_REST_SECONDS = 12, 600.0
"""With more than these, not even that, but once in this time: people who label without a pause leave none to clean in,
and each version is as large as the project.
"""


class LabelStudioDuty(ABC):
    """One aspect of keeping both sides equal. Subclasses say when it is due and what to do."""

    name = ""

    def __init__(self, db: Database, settings: Settings, connections: Connections) -> None:
        self._db = db
        self._settings = settings
        self._connections = connections
        self._waits = Waits()

    def due(self, uid: str) -> bool:
        """Whether there is something to do now, by the database alone."""
        if self._waits.holds(uid):
            return False
        with self._db.read() as session:
            project = projects.ensure(session, uid)
        if self._connections.outages.holds(self._address(project)):
            return False
        return not project.deleted and self._connections.usable(project) and self._is_due(project, time.time())

    def run(self, uid: str) -> None:
        """Do it. A LabelStudioError is recorded and waited out, not raised."""
        with self._db.read() as session:
            project = projects.ensure(session, uid)
        began = time.monotonic()
        try:
            api = self._connections.api(project)
            is_there = api is None or self._done(project, api)
        except LabelStudioError as error:
            self._failed(project, error, time.monotonic() - began)
            return
        self._succeeded(project)
        if not is_there:
            self._give_up(uid)

    def _done(self, project: Project, api: LabelStudioApi) -> bool:
        """False when the project itself is gone: other things may be missing in a project that is there."""
        try:
            self._do(project.uid, api)
        except LabelStudioRefused as error:
            if error.http_status != HTTPStatus.NOT_FOUND or not api.lacks_project(project.label_studio_id):
                raise
            return False
        return True

    @abstractmethod
    def _is_due(self, project: Project, now: float) -> bool: ...

    @abstractmethod
    def _do(self, uid: str, api: LabelStudioApi) -> None: ...

    def _failed(self, project: Project, error: LabelStudioError, took: float) -> None:
        """Where nothing answers, everything else that goes to that address waits, too: each would find that out anew,
        in up to a minute of the one worker's time.
        """
        wait = self._waits.failed(project.uid, took)
        if isinstance(error, LabelStudioUnreachable) and error.http_status is None:
            wait = max(wait, self._connections.outages.failed(self._address(project), took))
        log.warning("project %s: %s failed, again in %.0f s: %s", project.uid, self.name, wait, error)
        self._note(project.uid, str(error))

    def _succeeded(self, project: Project) -> None:
        self._waits.succeeded(project.uid)
        self._connections.outages.succeeded(self._address(project))
        if self.name in project.connection.get("errors", {}):
            self._note(project.uid, None)

    def _address(self, project: Project) -> str:
        address = self._connections.address(project)
        return "" if address is None else address.url

    def _note(self, uid: str, error: str | None) -> None:
        """Leave the failure where it can be seen, or take it away."""
        with self._db.write() as session:
            project = projects.ensure(session, uid)
            errors = {**project.connection.get("errors", {}), self.name: error}
            errors = {name: text for name, text in errors.items() if text}
            projects.configure(session, project, connection={**project.connection, "errors": errors})
            if error:
                counters.add(session, f"{self.name}_failed", project=project)

    def _give_up(self, uid: str) -> None:
        log.warning("project %s is gone in Label Studio: it is no longer worked on", uid)
        with self._db.write() as session:
            projects.mark_deleted(session, projects.ensure(session, uid))


class ReconcileDuty(LabelStudioDuty):
    """Compares the store with Label Studio: after a start (what happened before was told to nobody), every so often and
    when somebody asked.
    """

    name = "reconcile"

    def __init__(self, db: Database, settings: Settings, connections: Connections) -> None:
        super().__init__(db, settings, connections)
        self._last: dict[str, tuple[float, float]] = {}

    def _is_due(self, project: Project, now: float) -> bool:
        if project.reconciled_at is None or project.uid not in self._last:
            return True
        began, ended = self._last[project.uid]
        if project.reconcile_requested is not None:
            return time.monotonic() >= ended + max(1.0, REQUESTED_SHARE * (ended - began))
        wait = max(self._settings.reconcile_seconds, RECONCILE_SHARE * (ended - began))
        return time.monotonic() >= began + wait

    def _do(self, uid: str, api: LabelStudioApi) -> None:
        began = time.monotonic()
        reconcile(self._db, api, uid)
        self._last[uid] = began, time.monotonic()


class PushDuty(LabelStudioDuty):
    """Brings predictions into Label Studio: at once after a training, else seldom."""

    name = "push"

    def __init__(
        self,
        db: Database,
        settings: Settings,
        connections: Connections,
        engine: Predictor,
        *,
        check_lease: Callable[[], None] = ours,
    ) -> None:
        super().__init__(db, settings, connections)
        self._engine = engine
        self._check_lease = check_lease
        self._nothing_until: dict[str, float] = {}
        self._held_since: dict[str, float] = {}

    def _is_due(self, project: Project, now: float) -> bool:
        if time.monotonic() < self._nothing_until.get(project.uid, 0.0):
            return False
        with self._db.read() as session:
            publication = publications.newest(session, project)
            push, run = pushes.newest(session, project), runs.newest(session, project)
        if publication is None or push is None:
            return publication is not None
        moved_on = publication.model_version != push.model_version
        moved_on = moved_on or project.labels_version > (push.labels_version or 0)
        if push.state == pushes.State.RUNNING and not moved_on:
            return True
        behind = moved_on or push.state == pushes.State.FAILED
        if not behind or self._training_follows(project):
            return False
        if run is not None and (run.publication_number or 0) > (push.publication_number or 0):
            return len(push.old_versions) <= FAR_TOO_MANY_OLD_VERSIONS or self._rested(push, now, LONG_REST_SECONDS)
        return self._rested(push, now) and len(push.old_versions) <= MAX_OLD_VERSIONS

    def _training_follows(self, project: Project) -> bool:
        """Whether a training is about to make this push a waste. One push is held back for it no longer than one push
        interval, however many labels come meanwhile.
        """
        enough = project.labels_changed >= self._settings.start_training_each_n_updates
        if not enough and project.training_requested <= project.training_done:
            return False
        since = self._held_since.setdefault(project.uid, time.monotonic())
        return time.monotonic() < since + self._settings.push_interval_seconds

    def _rested(self, push: Push, now: float, least: float = 0.0) -> bool:
        """Whether the last push is long ago, at least so many seconds. One of the future: the clock was put back."""
        ended = push.finished_at or push.started_at
        seconds = min(ended - push.started_at, 1.0 + push.created / PUSHED_A_SECOND)
        return not ended <= now < ended + max(self._settings.push_interval_seconds, PUSH_SHARE * seconds, least)

    def _do(self, uid: str, api: LabelStudioApi) -> None:
        if Pusher(self._db, self._engine, api, check_lease=self._check_lease).push(uid) is None:
            self._nothing_until[uid] = time.monotonic() + self._settings.push_interval_seconds
        self._held_since.pop(uid, None)


class CleanDuty(LabelStudioDuty):
    """Deletes replaced predictions while nobody labels, and rests as long as it worked."""

    name = "clean"

    def __init__(self, db: Database, settings: Settings, connections: Connections) -> None:
        super().__init__(db, settings, connections)
        self._rest_until: dict[str, float] = {}

    def _is_due(self, project: Project, now: float) -> bool:
        rests = time.monotonic() < self._rest_until.get(project.uid, 0.0)
        return not rests and leftovers(self._db, project.uid, now) is not None

    def _do(self, uid: str, api: LabelStudioApi) -> None:
        started = time.monotonic()
        clean_step(self._db, api, uid)
        ended = time.monotonic()
        self._rest_until[uid] = ended + max(1.0, ended - started)


def label_studio_duties(
    db: Database, settings: Settings, connections: Connections, engine: Predictor, check_lease: Callable[[], None]
) -> tuple[LabelStudioDuty, LabelStudioDuty, LabelStudioDuty]:
    """(before the engine's duty: reconcile, after it: push, clean)."""
    return (
        ReconcileDuty(db, settings, connections),
        PushDuty(db, settings, connections, engine, check_lease=check_lease),
        CleanDuty(db, settings, connections),
    )
