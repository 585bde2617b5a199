"""One training run from its row in the database to its publication."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from ml_backend.config import Settings
from ml_backend.core.hyperparameters import RunConfig, usual_epochs
from ml_backend.core.labels import LabelSet
from ml_backend.core.model import EpochReport
from ml_backend.data.label_config import LabelSchema
from ml_backend.engine.checkpoint import Working
from ml_backend.engine.given_labels import given_labels
from ml_backend.engine.label_sets import make_label_sets
from ml_backend.engine.layout_frames import Frames
from ml_backend.engine.left_out import accuracy_at_a_glance
from ml_backend.engine.newcomers import train_with_newcomers
from ml_backend.engine.publishing import Versions, publish_model
from ml_backend.engine.run_effects import Lens
from ml_backend.engine.run_log import Begun, RunLog
from ml_backend.engine.settings import ProjectSettings
from ml_backend.engine.training_request import TrainingRequest
from ml_backend.errors import CheckpointError, InputError, StoreBusy, StoreError, TrainingError
from ml_backend.store import projects, runs
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Publication

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""How often the database is asked, between two batches, whether a person wants the run to stop."""


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
        check_lease: Callable[[], None],
    ) -> None:
        self._db = db
        self._settings = settings
        self._working = working
        self._schema = schema
        self._wanted = wanted
        self._should_stop = should_stop
        self._check_lease = check_lease
        self._runs = RunLog(db)

    def run(self, uid: str) -> bool:
        """Train 1-5 epochs and publish. Labels that come meanwhile count in the next propagation, and toward the next
        run. A run that a person stops is over; one that a shutdown stops waits again.

        False: it failed, and the pool in memory may hold epochs that are not published. Raises LeaseLost; the run is
        its new owner's then. Raises StoreError when the disk refuses, such as a full one: the run is over, and what it
        was due for stays due.
        """
        usual = TrainingRequest.usual(self._wanted)
        begun = self._runs.begin(uid, replace(usual, epochs=self._epochs(usual)))
        if begun is None:
            return True
        try:
            return self._run(begun)
        except StoreBusy:
            raise  # the next step begins the same run again
        except StoreError as error:
            self._runs.failed(begun, str(error), again=True)
            raise

    def _run(self, begun: Begun) -> bool:
        asked = StopAsked(self._db, begun.run.id)
        try:
            lens = self._lens(begun.project)
            stopped = self._train(begun, lens, asked)
            publication = self._publish(begun.project.uid)
        except (TrainingError, CheckpointError, InputError) as error:
            self._runs.failed(begun, str(error))
            return False
        if stopped and not asked():
            self._runs.put_back(begun)
        else:
            self._runs.done(begun, publication, lens)
        return True

    def _lens(self, project: Project) -> Lens:
        with self._db.read() as session:
            labels = given_labels(session, project)
        return Lens(self._db.path.parent, self._schema, self._wanted.pool, labels)

    def _train(self, begun: Begun, lens: Lens, asked: StopAsked) -> bool:
        """Whether it was stopped before its end."""
        pool, config = self._working.pool, self._config(begun)
        label_sets = make_label_sets(self._schema, lens.labels, self._working.row_of())
        log.info(
            "project %s: training run %d on %d items, %d labels",
            begun.project.uid,
            begun.run.id,
            len(pool),
            len(lens.labels),
        )
        frames, first = Frames(self._db, begun.project.uid, self._working), pool.model.epochs_done

        def on_epoch(epoch: EpochReport) -> None:
            frames.write()
            self._record(begun, epoch.epoch - first, epoch, label_sets)

        report = train_with_newcomers(
            self._working, config, label_sets, on_epoch=on_epoch, should_stop=lambda: self._should_stop() or asked()
        )
        self._working.trained()
        return report.stopped

    def _config(self, begun: Begun) -> RunConfig:
        request = TrainingRequest.of_row(begun.run.request, self._wanted)
        return RunConfig(
            epochs=self._epochs(request),
            seed=self._settings.seed + self._working.pool.model.epochs_done,
            weights=request.weights,
            prior=request.prior,
            phase=request.phase,
            device=self._settings.device,
        )

    def _epochs(self, request: TrainingRequest) -> int:
        return request.epochs or usual_epochs(len(self._working.pool))

    def _record(self, begun: Begun, place: int, epoch: EpochReport, label_sets: Sequence[LabelSet]) -> None:
        """place: 1.. within the run."""
        phase = epoch.phase.name.lower()
        report = {
            "epoch": place,
            "model_epoch": epoch.epoch,
            "phase": phase,
            "losses": asdict(epoch.losses),
            "weighted": dict(epoch.weighted),
            "usage": epoch.usage,
            "accuracy": accuracy_at_a_glance(self._working.pool, label_sets),
        }
        with self._db.write() as session:
            runs.epoch(session, begun.run.id, report, phase=phase)

    def _publish(self, uid: str) -> Publication:
        with self._db.read() as session:
            labels_version = projects.ensure(session, uid).labels_version
        versions = Versions(self._working.matrix.data_version, labels_version, trained=True)
        self._check_lease()
        return publish_model(self._db, uid, self._working, versions)


class StopAsked:
    """Whether a person asked a run to stop; asks the database at most every POLL_SECONDS."""

    def __init__(self, db: Database, run_id: int) -> None:
        self._db = db
        self._run_id = run_id
        self._asked = False
        self._next = 0.0

    def __call__(self) -> bool:
        if not self._asked and time.monotonic() >= self._next:
            with self._db.read() as session:
                self._asked = runs.stop_asked(session, self._run_id)
            self._next = time.monotonic() + POLL_SECONDS
        return self._asked
