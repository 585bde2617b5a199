"""What changes on the map without a new view: labels that wait for Label Studio, and what the last training changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.engine.run_effects import changed_rows
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.store import outbox, projects, runs
from ml_backend.store.database import Database


@dataclass(frozen=True)
class MarksVersion:
    """Names a state of the marks: pending and changed each stay the same while their text does. run: the training that
    `changed` is about, None before the first.
    """

    pending: str
    changed: str
    run: int | None


class MapMarks:
    """Reads one project's marks at one moment."""

    def __init__(self, db: Database, uid: str) -> None:
        self._db = db
        self._uid = uid
        with db.read() as session:
            project = projects.ensure(session, uid)
            self._pending = np.array(sorted(outbox.pending_tasks(session, project)), np.int64)
            run = runs.newest_measured(session, project)
        self._run = run.id if run is not None else None

    @property
    def version(self) -> MarksVersion:
        """For validators and events."""
        return MarksVersion(hashlib.sha256(self._pending.tobytes()).hexdigest()[:16], str(self._run or ""), self._run)

    def pending(self, task_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(N,) task_ids: as in a snapshot."""
        return np.asarray(np.isin(task_ids, self._pending) & (task_ids != NO_TASK))

    def changed(self, task_ids: NDArray[np.int64], label_set: str | None) -> NDArray[np.bool_]:
        """(N,) for a label set's name; None: there is none."""
        if label_set is None or self._run is None:
            return np.zeros(len(task_ids), bool)
        return changed_rows(self._db, self._uid, task_ids, label_set)
