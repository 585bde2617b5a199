"""The row of a run while it is worked on: begun, done with its effect, failed, or put back."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ml_backend.engine.publishing import project_folder, sweep
from ml_backend.engine.run_effects import Lens, changes, effect, save_changes
from ml_backend.engine.training_request import TrainingRequest
from ml_backend.store import projects, publications, runs
from ml_backend.store.database import Database
from ml_backend.store.tables import JsonObject, Project, Publication, TrainingRun

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Begun:
    """A run under way. project, before: the project's row and its newest publication as they were when it began."""

    project: Project
    run: TrainingRun
    before: Publication | None


class RunLog:
    """Writes the rows; the caller holds the project's lease."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, uid: str, usual: TrainingRequest) -> Begun | None:
        """The run to do, begun: one that was asked for or that a dead worker left, else a new, usual one. None when the
        old one has died too often.
        """
        now = time.time()
        with self._db.write() as session:
            project = projects.ensure(session, uid)
            run = runs.unfinished(session, project) or runs.create(session, project, usual.as_json(), now)
            begun = Begun(project, run, publications.newest(session, project))
            if runs.start(session, run, now):
                return begun
            _handled(session, begun)
        log.error("project %s: run %d failed: %s", uid, run.id, run.error)
        return None

    def done(self, begun: Begun, published: Publication, lens: Lens) -> None:
        """Measures what it changed, and keeps its model so that it can be brought back."""
        measured = self._measured(begun, published, lens)
        with self._db.write() as session:
            path = published.model_path
            runs.finish(session, begun.run.id, published.number, time.time(), model_path=path, effect=measured)
            _handled(session, begun)
        sweep(self._db, begun.project.uid)

    def failed(self, begun: Begun, error: str, *, again: bool = False) -> None:
        """error: one sentence for the user. again: the labels and requests that it was due for stay due."""
        log.error("project %s: run %d failed: %s", begun.project.uid, begun.run.id, error)
        with self._db.write() as session:
            runs.fail(session, begun.run.id, error, time.time())
            if not again:
                _handled(session, begun)

    def put_back(self, begun: Begun) -> None:
        """A shutdown came in between: it waits again."""
        with self._db.write() as session:
            runs.put_back(session, begun.run.id)

    def _measured(self, begun: Begun, published: Publication, lens: Lens) -> JsonObject | None:
        before, after = lens.measure(begun.before), lens.measure(published)
        if after is None:
            return None
        changed = changes(before, after) if before is not None else {}
        save_changes(project_folder(self._db, begun.project), begun.run.id, changed)
        return effect(before, after, changed)


def _handled(session: Session, begun: Begun) -> None:
    """The trainings that were due when the run began are done with; going back to an earlier model is none."""
    if begun.run.request.get("restores") is None:
        project = begun.project
        projects.training_handled(
            session, project, requested=project.training_requested, labels_changed=project.labels_changed
        )
