"""What a training run, or going back to an earlier one, changed: accuracy, components in use, classes named."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import as_matrix
from ml_backend.data.label_config import LabelSchema
from ml_backend.engine.given_labels import GivenLabel
from ml_backend.engine.kept_models import changes_folder
from ml_backend.engine.label_sets import make_label_sets
from ml_backend.engine.left_out import LeftOutAccuracy, left_out_accuracy
from ml_backend.engine.map_columns import MapColumns
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.engine.publishing import project_folder
from ml_backend.engine.snapshot import NO_TASK, load_description
from ml_backend.engine.view import ProjectView
from ml_backend.errors import CheckpointError
from ml_backend.store import artifacts, projects, runs
from ml_backend.store.database import Database
from ml_backend.store.tables import JsonObject, Publication

log = logging.getLogger(__name__)

_KIND = "changes"


@dataclass(frozen=True)
class Measured:
    """One publication under the labels of one moment.

    usage: effective number of components exp(H(p_hat)) of its tasks, 1..K. named: by label set, (N,) the class that is
    shown for each row, as in `MapColumns.named`.
    """

    task_ids: NDArray[np.int64]
    named: Mapping[str, NDArray[np.uint16]]
    accuracy: LeftOutAccuracy | None
    usage: float

    @staticmethod
    def of(view: ProjectView) -> Measured:
        """Propagates every label set once."""
        return Measured(
            task_ids=view.snapshot.task_ids,
            named={labels.name: MapColumns(view, labels.name).named for labels in view.label_sets},
            accuracy=left_out_accuracy(spread.store for spread in view.propagations.values()),
            usage=_usage(view),
        )


@dataclass(frozen=True)
class Lens:
    """How publications are looked at so that they can be compared: one label config, one state of the labels."""

    home: Path
    schema: LabelSchema
    settings: PoolSettings
    labels: Sequence[GivenLabel]

    def measure(self, publication: Publication | None) -> Measured | None:
        """None for no publication, or one whose files are damaged: then nothing can be said of what changed."""
        if publication is None:
            return None
        try:
            snapshot = load_description(self.home / publication.description_path)
        except CheckpointError as error:
            log.error("publication %d cannot be measured: %s", publication.number, error)
            return None
        rows = {int(task): row for row, task in enumerate(snapshot.task_ids) if task != NO_TASK}
        view = ProjectView(
            number=publication.number,
            model_version=publication.model_version,
            labels_version=publication.labels_version,
            schema=self.schema,
            settings=self.settings,
            snapshot=snapshot,
            label_sets=make_label_sets(self.schema, self.labels, rows),
        )
        return Measured.of(view)


Changes = Mapping[str, NDArray[np.int64]]
"""By label set: ids of the tasks for which another class is named."""


def changes(before: Measured, after: Measured) -> Changes:
    """Tasks that both know; rows may differ."""
    _, old, new = np.intersect1d(_live(before), _live(after), assume_unique=False, return_indices=True)
    old_rows, new_rows = np.flatnonzero(before.task_ids != NO_TASK)[old], np.flatnonzero(after.task_ids != NO_TASK)[new]
    ids = after.task_ids[new_rows]
    return {
        name: ids[before.named[name][old_rows] != now[new_rows]]
        for name, now in after.named.items()
        if name in before.named
    }


def effect(before: Measured | None, after: Measured, changed: Changes) -> JsonObject:
    """For the run's row: accuracies with interval (or None), usage, and how many tasks are named otherwise."""
    return {
        "accuracy": _share(after),
        "accuracy_before": _share(before),
        "interval": None if after.accuracy is None else asdict(after.accuracy),
        "usage": after.usage,
        "usage_before": None if before is None else before.usage,
        "changed": len(np.unique(np.concatenate([np.empty(0, np.int64), *changed.values()]))),
        "changed_by_control": {name: len(ids) for name, ids in changed.items()},
    }


def save_changes(root: Path, run_id: int, changed: Changes) -> None:
    """Keep what `changed_rows` reads, in the project's folder."""
    tensors = {str(place): ids for place, ids in enumerate(changed.values())}
    artifacts.publish(root, changes_folder(run_id), manifest={"kind": _KIND, "names": list(changed)}, tensors=tensors)


def changed_rows(db: Database, uid: str, task_ids: NDArray[np.int64], label_set: str) -> NDArray[np.bool_]:
    """(N,) whether another class is named for a row's task than before the last training run; nowhere without a run.

    task_ids: (N,) as in a snapshot. The answer changes when `runs.newest_measured` does, and with task_ids.
    """
    nowhere = np.zeros(len(task_ids), bool)
    with db.read() as session:
        project = projects.ensure(session, uid)
        run = runs.newest_measured(session, project)
    if run is None:
        return nowhere
    try:
        found = artifacts.load(project_folder(db, project) / changes_folder(run.id))
    except CheckpointError as error:
        log.error("project %s, run %d: what it changed is lost: %s", uid, run.id, error)
        return nowhere
    names = found.manifest.get("names", [])
    if found.manifest.get("kind") != _KIND or label_set not in names:
        return nowhere
    return np.asarray(np.isin(task_ids, found.tensors[str(names.index(label_set))]) & (task_ids != NO_TASK))


def _live(measured: Measured) -> NDArray[np.int64]:
    return np.asarray(measured.task_ids[measured.task_ids != NO_TASK])


def _share(measured: Measured | None) -> float | None:
    return measured.accuracy.estimate if measured is not None and measured.accuracy is not None else None


def _usage(view: ProjectView) -> float:
    live = np.flatnonzero(view.snapshot.task_ids != NO_TASK)
    mass = np.asarray(as_matrix(view.description.responsibilities.take(live)).sum(axis=0), np.float64).ravel()
    p = mass[mass > 0] / max(float(mass.sum()), 1e-12)
    return float(np.exp(-(p * np.log(p)).sum()))
