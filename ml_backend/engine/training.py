"""When a project is trained, and one training run from its row in the database to its publication."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict

from ml_backend.config import Settings
from ml_backend.core.hyperparameters import RunConfig
from ml_backend.core.model import EpochReport
from ml_backend.data.label_config import LabelSchema
from ml_backend.engine.checkpoint import Working
from ml_backend.engine.label_sets import make_label_sets
from ml_backend.engine.publishing import Versions, publish_model
from ml_backend.engine.settings import ProjectSettings
from ml_backend.errors import CheckpointError, TrainingError
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, runs
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, TrainingRun

log = logging.getLogger(__name__)


def training_due(db: Database, project: Project, settings: Settings, now: float) -> bool:
    """A training was asked for, enough labels changed and nobody has labelled for the debounce time, or a run was left
    behind.
    """
    if project.training_requested > project.training_done:
        return True
    if project.labels_changed >= settings.start_training_each_n_updates:
        return now - project.labels_changed_at >= settings.debounce_seconds
    with db.read() as session:
        return runs.unfinished(session, project) is not None


class Training:
    """One run on a pool that is in memory. A run that fails or keeps killing its worker ends as failed; the published
    model stays.
    """

    def __init__(
        self,
        db: Database,
        settings: Settings,
        working: Working,
        schema: LabelSchema,
        wanted: ProjectSettings,
        should_stop: Callable[[], bool],
    ) -> None:
        self._db = db
        self._settings = settings
        self._working = working
        self._schema = schema
        self._wanted = wanted
        self._should_stop = should_stop

    def run(self, uid: str) -> None:
        """Train 1-5 epochs and publish. Labels that come meanwhile count in the next propagation, and toward the next
        run.
        """
        begun = self._begin(uid)
        if begun is None:
            return
        project, run = begun
        try:
            stopped = self._train(project, run)
            publication = self._publish(uid)
        except (TrainingError, CheckpointError) as error:
            log.error("project %s: training run %d failed: %s", uid, run.id, error)
            self._end(project, run, error=str(error))
            return
        if stopped:
            with self._db.write() as session:
                runs.put_back(session, run.id)
        else:
            self._end(project, run, publication_number=publication)

    def _begin(self, uid: str) -> tuple[Project, TrainingRun] | None:
        """The run to do, begun: one that a dead worker left, or a new one. None when the old one has died too often."""
        now = time.time()
        with self._db.write() as session:
            project = projects.ensure(session, uid)
            run = runs.unfinished(session, project) or runs.create(
                session, project, {"epochs": self._wanted.epochs}, now
            )
            if runs.start(session, run, now):
                return project, run
            projects.training_handled(
                session, project, requested=project.training_requested, labels_changed=project.labels_changed
            )
        log.error("project %s: training run %d failed: %s", uid, run.id, run.error)
        return None

    def _train(self, project: Project, run: TrainingRun) -> bool:
        with self._db.read() as session:
            labels = annotation_rows.live(session, project)
        pool = self._working.pool
        config = RunConfig(
            epochs=self._wanted.epochs,
            seed=self._settings.seed + pool.model.epochs_done,
            weights=self._wanted.weights,
            prior=self._wanted.pool.prior,
            device=self._settings.device,
        )
        label_sets = make_label_sets(self._schema, labels, self._working.row_of())
        log.info("project %s: training run %d on %d items, %d labels", project.uid, run.id, len(pool), len(labels))
        report = pool.train(
            config, label_sets, on_epoch=lambda epoch: self._record(run, epoch), should_stop=self._should_stop
        )
        return report.stopped

    def _record(self, run: TrainingRun, epoch: EpochReport) -> None:
        report = {"epoch": epoch.epoch, "usage": epoch.usage, "losses": asdict(epoch.losses)}
        with self._db.write() as session:
            runs.epoch(session, run.id, report, phase=epoch.phase.name.lower())

    def _publish(self, uid: str) -> int:
        with self._db.read() as session:
            labels_version = projects.ensure(session, uid).labels_version
        versions = Versions(self._working.matrix.data_version, labels_version, trained=True)
        return publish_model(self._db, uid, self._working, versions).number

    def _end(
        self, project: Project, run: TrainingRun, *, publication_number: int | None = None, error: str | None = None
    ) -> None:
        now = time.time()
        with self._db.write() as session:
            if error is None:
                runs.finish(session, run.id, publication_number, now)
            else:
                runs.fail(session, run.id, error, now)
            projects.training_handled(
                session, project, requested=project.training_requested, labels_changed=project.labels_changed
            )
