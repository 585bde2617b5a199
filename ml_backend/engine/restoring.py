"""Back to an earlier run: its model is published again, and the pool is trained on from there.

Component ids, weights and heads are those of then. Tasks that came since join its pool as they always do; the rows of
those that are gone stand for no task.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from ml_backend.data.label_config import LabelSchema
from ml_backend.engine.checkpoint import Working, load_model
from ml_backend.engine.given_labels import given_labels
from ml_backend.engine.indexing import index_changes
from ml_backend.engine.publishing import Versions, publish_model
from ml_backend.engine.reading import Reader
from ml_backend.engine.run_effects import Lens
from ml_backend.engine.run_log import RunLog
from ml_backend.engine.settings import ProjectSettings, with_steering
from ml_backend.engine.training_request import TrainingRequest
from ml_backend.errors import CheckpointError, StoreBusy, StoreError
from ml_backend.store import projects, runs
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, TrainingRun

log = logging.getLogger(__name__)


def restoring_due(db: Database, project: Project) -> bool:
    """Whether the run to be done next brings an earlier one back."""
    with db.read() as session:
        run = runs.unfinished(session, project)
    return run is not None and run.request.get("restores") is not None


class Restoring:
    """One run that brings an earlier one back. When that cannot be, it ends as failed and the published model stays."""

    def __init__(self, db: Database, reader: Reader, schema: LabelSchema, wanted: ProjectSettings) -> None:
        self._db = db
        self._reader = reader
        self._schema = schema
        self._wanted = wanted
        self._runs = RunLog(db)

    def run(self, uid: str) -> Working | None:
        """The pool that was brought back and published; None when it failed."""
        begun = self._runs.begin(uid, TrainingRequest.usual(self._wanted))
        if begun is None:
            return None
        try:
            working = self._loaded(begun.project, begun.run)
            with self._db.read() as session:
                project = projects.ensure(session, uid)
                labels = given_labels(session, project)
            trained = working.pool.model.epochs_done > 0
            versions = Versions(working.matrix.data_version, project.labels_version, trained)
            published = publish_model(self._db, uid, working, versions)
        except StoreBusy:
            raise  # the next step begins the same run again
        except (CheckpointError, StoreError) as error:
            self._runs.failed(begun, str(error))
            return None
        self._keep_prior(uid, working)
        self._runs.done(begun, published, Lens(self._db.path.parent, self._schema, self._wanted.pool, labels))
        return working

    def _loaded(self, project: Project, run: TrainingRun) -> Working:
        """Raises CheckpointError when the run has no model any more or its rows mean something else now."""
        number = int(run.request["restores"])
        with self._db.read() as session:
            source = runs.get(session, project, number)
        if source is None or source.model_path is None:
            raise CheckpointError(f"the model of run {number} is no longer kept")
        working = load_model(self._db.path.parent / source.model_path, self._wanted.pool)
        if working.encoder != self._reader.identity:
            raise CheckpointError(
                f"run {number} read its tasks by {working.encoder}, now they are read by {self._reader.identity}"
            )
        matrix = index_changes(self._db, project.uid, working.matrix, self._reader)
        if working.same_rows(matrix):
            working.matrix = replace(working.matrix, data_version=matrix.data_version)
        else:
            working.take(matrix)
        log.info("project %s: back to the model of run %d", project.uid, number)
        return working

    def _keep_prior(self, uid: str, working: Working) -> None:
        """Later runs go on with the prior of this model, instead of changing it back unasked."""
        prior = working.pool.model.config.prior
        if prior != self._wanted.pool.prior:
            with self._db.write() as session:
                project = projects.ensure(session, uid)
                projects.configure(session, project, settings=with_steering(project, {"prior": prior}))
