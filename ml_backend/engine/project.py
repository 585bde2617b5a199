"""Brings one project's published state up to date: index -> create or extend -> train -> publish. The worker's side of
the engine.

Each step compares versions in the database with what the newest publication was made from, so that a worker killed
anywhere leaves the project only behind. Pools stay in memory between steps; losing them costs a reload. Workers take
turns at a project: a pool that another one has published since is loaded again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ml_backend.config import Settings
from ml_backend.data.label_config import LabelSchema
from ml_backend.engine.checkpoint import Working, encoder_of, load_model
from ml_backend.engine.debounce import Debounce
from ml_backend.engine.heartbeat import ours
from ml_backend.engine.indexing import index_changes
from ml_backend.engine.kept import Recent
from ml_backend.engine.pool import Pool
from ml_backend.engine.publishing import Versions, is_there, publish_model
from ml_backend.engine.reading import Reader, Readers
from ml_backend.engine.restoring import Restoring, restoring_due
from ml_backend.engine.schema import schema_of
from ml_backend.engine.settings import ProjectSettings, settings_of
from ml_backend.engine.snapshot import NO_TASK, PoolMatrix
from ml_backend.engine.training import Training
from ml_backend.errors import CheckpointError
from ml_backend.store import projects, publications, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Publication

log = logging.getLogger(__name__)

MIN_ITEMS = 2
"""Fewer readable tasks have no structure to learn."""

POOLS_IN_MEMORY = 2

RETIRED_SHARE = 0.25
"""With more rows than this standing for no task (deleted or changed), the pool is made anew."""

GROWTH = 1.5
"""When the pool would get this many times its components by default, it is made anew."""

Progress = Callable[[str], None]


def never() -> bool:
    """The default `should_stop`."""
    return False


class ProjectEngine:
    """Worker duty: `due` is a few cheap reads, `run` needs the project's lease.

    should_stop: whether to end soon and publish what there is. check_lease: raises LeaseLost when the project is
    another worker's by now; nothing is published then.
    """

    def __init__(
        self,
        db: Database,
        settings: Settings,
        readers: Readers,
        *,
        should_stop: Callable[[], bool] = never,
        check_lease: Callable[[], None] = ours,
    ) -> None:
        self._db = db
        self._settings = settings
        self._readers = readers
        self._should_stop = should_stop
        self._check_lease = check_lease
        self._debounce = Debounce(db, settings)
        self._pools: Recent[str, Working] = Recent(POOLS_IN_MEMORY)
        self._too_small: dict[tuple[str, ...], PoolMatrix] = {}
        self._retry_at: dict[tuple[str, ...], float] = {}
        self._read_alike: dict[str, str] = {}

    def due(self, uid: str) -> bool:
        """Whether tasks changed since the newest publication or would be read otherwise now, its files are gone, or a
        training is wanted.
        """
        project, newest = self._read(uid)
        if not schema_of(project).controls or not project.data_version:
            return False
        return self._retry_due(project) or self._publication_due(project, newest) or self._training_due(project, newest)

    def run(self, uid: str) -> None:
        """One step: new tasks first, since a training wants them too; then at most one training."""
        try:
            self._step(uid)
        except BaseException:
            self._forget(uid)
            raise

    def _step(self, uid: str) -> None:
        project, newest = self._read(uid)
        wanted = settings_of(self._settings, project)
        schema = schema_of(project)
        reader = self._readers.reader(self._db, project, schema, wanted)
        if self._retry_due(project):
            project = self._retry_unreadable(project)
        if self._publication_due(project, newest):
            self._take_in(project, newest, reader, wanted)
            project, newest = self._read(uid)
        if newest is not None and not self._should_stop() and self._training_due(project, newest):
            if restoring_due(self._db, project):
                self._go_back(uid, Restoring(self._db, reader, schema, wanted))
            elif (working := self._working(project, newest, reader, wanted)) is not None:
                self._train(uid, working, schema, wanted)
            else:
                self._take_in(project, newest, reader, wanted)  # else the training would stay due for ever

    def _train(self, uid: str, working: Working, schema: LabelSchema, wanted: ProjectSettings) -> None:
        training = Training(self._db, self._settings, working, schema, wanted, self._stops, self._check_lease)
        if not training.run(uid):
            self._forget(uid)

    def _stops(self) -> bool:
        self._check_lease()
        return self._should_stop()

    def _go_back(self, uid: str, restoring: Restoring) -> None:
        working = restoring.run(uid)
        if working is not None:
            self._pools.put(uid, working)

    def _read(self, uid: str) -> tuple[Project, Publication | None]:
        with self._db.read() as session:
            project = projects.ensure(session, uid)
            return project, publications.newest(session, project)

    def _publication_due(self, project: Project, newest: Publication | None) -> bool:
        if self._data_due(project, newest):
            return True
        if newest is None or self._waits_for_tasks(project):
            return False
        return self._is_lost(newest) or self._was_read_otherwise(project, newest)

    def _is_lost(self, newest: Publication | None) -> bool:
        return newest is not None and not is_there(self._db.path.parent, newest)

    def _was_read_otherwise(self, project: Project, newest: Publication) -> bool:
        """Whether this Lantern's encoder is another one than that of the model: an upgrade may have brought it."""
        if self._read_alike.get(project.uid) == newest.model_path:
            return False
        reader = self._readers.reader(self._db, project, schema_of(project), settings_of(self._settings, project))
        try:
            alike = encoder_of(self._db.path.parent / newest.model_path) == reader.identity
        except CheckpointError:
            alike = True  # nothing can be said of a damaged one
        if alike:
            self._read_alike[project.uid] = newest.model_path
        return not alike

    def _data_due(self, project: Project, newest: Publication | None) -> bool:
        working, too_small = self._pools.get(project.uid), self._too_small.get(_what_is_read(project))
        indexed = working.matrix if working is not None else too_small
        known = [m for m in (indexed, newest) if m is not None]
        return project.data_version > max((m.data_version for m in known), default=0)

    def _retry_due(self, project: Project) -> bool:
        if time.monotonic() < self._retry_at.get(_what_is_read(project), 0.0):
            return False
        with self._db.read() as session:
            unreadable = tasks.unreadable(session, project)
        if not unreadable:
            self._retry_at[_what_is_read(project)] = time.monotonic() + self._settings.reconcile_seconds
        return bool(unreadable)

    def _retry_unreadable(self, project: Project) -> Project:
        """What could not be read is tried once at the start and after another encoder or field was chosen, then seldom:
        servers that were down may be up again.
        """
        self._retry_at[_what_is_read(project)] = time.monotonic() + self._settings.reconcile_seconds
        with self._db.write() as session:
            project = projects.ensure(session, project.uid)
            projects.touch_data(session, project, tasks.retry_unreadable(session, project), time.time())
        return project

    def _training_due(self, project: Project, newest: Publication | None) -> bool:
        if newest is None or not self._debounce.training_due(project):
            return False
        return not self._waits_for_tasks(project) or restoring_due(self._db, project)

    def _waits_for_tasks(self, project: Project) -> bool:
        """Whether the pool cannot be used any more, and none can be made of the tasks that there are."""
        too_small = self._too_small.get(_what_is_read(project))
        return too_small is not None and too_small.data_version == project.data_version

    def _take_in(self, project: Project, newest: Publication | None, reader: Reader, wanted: ProjectSettings) -> None:
        """Read what is new, then make, extend or remake the pool, and publish it when it changed."""
        working = self._working(project, newest, reader, wanted) if newest else None
        before = working.matrix if working else self._too_small.get(_what_is_read(project))
        matrix = index_changes(self._db, project.uid, before, reader)
        live = int(np.count_nonzero(matrix.task_ids != NO_TASK))
        if working is None and live < MIN_ITEMS:
            self._too_small[_what_is_read(project)] = matrix
            return
        if working is not None and working.same_rows(matrix) and not self._is_lost(newest):
            working.matrix = replace(working.matrix, data_version=matrix.data_version)
            with self._db.write() as session:
                publications.stands_for(session, project, matrix.data_version)
            return
        if working is None or _wants_new_pool(working, matrix, live, wanted):
            working = self._created(project, matrix.without_retired(), reader, wanted)
        else:
            working.take(matrix)
        self._pools.put(project.uid, working)
        self._publish(project.uid, working, trained=working.pool.model.epochs_done > 0)

    def _created(self, project: Project, matrix: PoolMatrix, reader: Reader, wanted: ProjectSettings) -> Working:
        log.info("project %s: making a pool of %d tasks", project.uid, len(matrix))
        pool = Pool.create(matrix.x, wanted.pool, seed=self._settings.seed, should_stop=self._stops)
        with self._db.write() as session:
            projects.request_training(session, project)
        self._too_small.pop(_what_is_read(project), None)
        return Working(matrix, pool, reader.identity)

    def _publish(self, uid: str, working: Working, *, trained: bool) -> None:
        project, _ = self._read(uid)
        versions = Versions(working.matrix.data_version, project.labels_version, trained)
        self._check_lease()
        publish_model(self._db, uid, working, versions)

    def _working(
        self, project: Project, newest: Publication, reader: Reader, wanted: ProjectSettings
    ) -> Working | None:
        """The pool of the newest publication; None when it cannot be used any more and must be made anew."""
        working = self._pools.get(project.uid)
        if working is None or working.model_folder != Path(newest.model_path).name:  # another worker has published
            try:
                working = load_model(self._db.path.parent / newest.model_path, wanted.pool)
            except CheckpointError as error:
                log.error("project %s: %s; the pool is made anew", project.uid, error)
                return None
        if working.encoder != reader.identity:
            log.info(
                "project %s: read by %s now, was %s: the pool is made anew",
                project.uid,
                reader.identity,
                working.encoder,
            )
            self._forget(project.uid)
            return None
        working.pool.settings = wanted.pool  # alpha0 and the like change while a pool is in memory
        self._pools.put(project.uid, working)
        return working

    def _forget(self, uid: str) -> None:
        """A step that failed may have changed the pool in memory: the next one begins with what is published."""
        self._pools.forget(uid)


def _what_is_read(project: Project) -> tuple[str, ...]:
    """The project, and what its settings choose to read of its tasks."""
    return project.uid, *(str(project.extra_params.get(key)) for key in ("encoder", "field"))


def _wants_new_pool(working: Working, matrix: PoolMatrix, live: int, wanted: ProjectSettings) -> bool:
    if live < MIN_ITEMS:
        return False  # too few to make one of: the present one stays
    if len(matrix) - live > RETIRED_SHARE * len(matrix):
        return True
    config = working.pool.model.config
    placed = config.n_placed or config.n_components
    return wanted.pool.n_components is None and wanted.pool.placed(live) >= GROWTH * placed
