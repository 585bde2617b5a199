"""What the page of the map shows besides the points, as plain JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import cast

import numpy as np

from ml_backend.core.labels import as_matrix
from ml_backend.data.source import encoder_kind
from ml_backend.engine.engine import NO_MODEL
from ml_backend.engine.kept import Kept
from ml_backend.engine.label_sets import BINARY_CLASSES, store_name
from ml_backend.engine.left_out import left_out_accuracy
from ml_backend.engine.map_colours import colours_of
from ml_backend.engine.map_columns import NO_CLASS
from ml_backend.engine.map_items import task_kind
from ml_backend.engine.map_layout import LayoutState
from ml_backend.engine.map_looks import SETTINGS_KEY, shown_names
from ml_backend.engine.map_marks import MapMarks
from ml_backend.engine.map_reading import MapReader, Moment, digest
from ml_backend.engine.reading import SOURCE_KEY
from ml_backend.engine.settings import settings_of
from ml_backend.engine.view import ProjectView
from ml_backend.errors import ConfigError
from ml_backend.store import outbox, projects, runs, senders, tasks
from ml_backend.store.tables import Project, TrainingRun

Json = dict[str, object]

COVERED_FROM = 0.5
"""Labels on a component from which on it counts as covered."""


@dataclass(frozen=True)
class _Rows:
    """A project's rows, read together."""

    project: Project
    run: TrainingRun | None
    changed_by: TrainingRun | None
    counts: outbox.Counts
    stranded: list[senders.Stranded]

    @property
    def outbox(self) -> Json:
        """As the state shows it."""
        needs = [{"id": one.person_id, "name": one.name, "waiting": one.waiting} for one in self.stranded]
        return {**asdict(self.counts), "needs": needs}


class MapState:
    """States and pulses of one process."""

    def __init__(self, reader: MapReader, address_of: Callable[[Project], str | None]) -> None:
        """address_of: where a project's Label Studio is for people, or None."""
        self._reader = reader
        self._address_of = address_of
        self._controls: Kept[str, list[Json]] = Kept(4)
        self._progress: Kept[str, Json] = Kept(4)
        self._tasks: Kept[tuple[int, int, int], tuple[int, int]] = Kept(8)

    def state(self, uid: str) -> Json:
        """The reply of GET state."""
        moment, rows = self._reader.moment(uid), self._rows(uid)
        project, layout = rows.project, self._reader.layouts.state(uid)
        n_tasks, unreadable = self._tasks_of(project, moment)
        chosen = settings_of(self._reader.engine.settings, project).pool
        url = self._address_of(project)
        return {
            "project": project.uid,
            "title": project.title,
            "task_kind": _task_kind(project, moment),
            "label_studio": {"url": url, "project": project.label_studio_id} if url else None,
            "items": 0 if moment is None else len(moment.view.snapshot.task_ids),
            "versions": self._versions(uid, moment, rows, layout),
            "controls": [] if moment is None else self._controls_of(moment, project),
            "layout": {"kind": layout.kind, "better_on_its_way": layout.better_on_its_way},
            "progress": {**self._progress_of(moment), "tasks": n_tasks, "unreadable": unreadable},
            "training": training_of(rows.run, has_model=moment is not None),
            "settings": {
                "alpha0": chosen.alpha0,
                "never_seen_level": chosen.never_seen_level,
                "query": chosen.query,
            },
            "outbox": rows.outbox,
            "changed": changed_of(rows.changed_by),
            "components": 0 if moment is None else moment.view.description.responsibilities.n_components,
            "used_components": 0 if moment is None else self._used(moment),
        }

    def pulse(self, uid: str) -> tuple[dict[str, Json], int | None, list[Json]]:
        """What events tell: versions, training and outbox as in the state; the newest run and its epochs."""
        moment, rows = self._reader.moment(uid), self._rows(uid)
        values: dict[str, Json] = {
            "versions": self._versions(uid, moment, rows, self._reader.layouts.state(uid)),
            "training": training_of(rows.run, has_model=moment is not None),
            "outbox": rows.outbox,
        }
        return values, rows.run.id if rows.run else None, [] if rows.run is None else epochs_of(rows.run)

    def _rows(self, uid: str) -> _Rows:
        with self._reader.engine.db.read() as session:
            project = projects.ensure(session, uid)
            run, changed_by = runs.newest(session, project), runs.newest_measured(session, project)
            stranded = senders.stranded(session, project, time.time())
            return _Rows(project, run, changed_by, outbox.counts(session, project), stranded)

    def _versions(self, uid: str, moment: Moment | None, rows: _Rows, layout: LayoutState) -> Json:
        """Of what would be served now, so that nobody asks for what is not there yet."""
        if moment is None:
            labels = rows.project.labels_version
            return {"publication": 0, "labels": labels, "layout": layout.number, "rows": "", "frame": 0, "marks": ""}
        marks, chosen = MapMarks(self._reader.engine.db, uid).version, rows.project.settings.get(SETTINGS_KEY)
        return {
            "publication": moment.published.number,
            "labels": moment.published.labels_version,
            "layout": layout.number,
            "rows": moment.published.snapshot.rows_version,
            "frame": layout.frame,
            "marks": digest(marks.pending, marks.changed, sorted(moment.view.set_aside), chosen),
        }

    def _controls_of(self, moment: Moment, project: Project) -> list[Json]:
        counted = self._controls.get(moment.key, lambda: self._counted(moment))
        return [_as_shown(control, project.settings) for control in counted]

    def _counted(self, moment: Moment) -> list[Json]:
        """Every control, in the label config's order, with how many items each of its classes has."""
        found: list[Json] = []
        for control in moment.view.schema.controls:
            multiple = control.kind == "multiple"
            names = [store_name(control, choice) for choice in control.classes] if multiple else [control.name]
            for name in names:
                columns = self._reader.columns(moment, name)
                classes = BINARY_CLASSES if multiple else control.classes
                human = np.bincount(columns.human, minlength=NO_CLASS + 1)
                named = np.bincount(columns.named, minlength=NO_CLASS + 1)
                counts = [
                    {"name": c, "human": int(human[i]), "propagated": int(named[i] - human[i])}
                    for i, c in enumerate(classes)
                ]
                found.append({"name": name, "kind": control.kind, "classes": counts})
        return found

    def _progress_of(self, moment: Moment | None) -> Json:
        if moment is None:
            return {"labelled": 0, "covered_mass": 0.0, "accuracy": None}
        return self._progress.get(moment.key, lambda: progress_of(moment.view))

    def _tasks_of(self, project: Project, moment: Moment | None) -> tuple[int, int]:
        """Tasks, and how many of them cannot be read: counted again when tasks changed or were read."""
        published = 0 if moment is None else moment.published.number

        def count() -> tuple[int, int]:
            with self._reader.engine.db.read() as session:
                return tasks.count_live(session, project), len(tasks.unreadable(session, project))

        return self._tasks.get((project.id, project.data_version, published), count)

    def _used(self, moment: Moment) -> int:
        return len(np.unique(self._reader.columns(moment, None).component))


def progress_of(view: ProjectView) -> Json:
    """Labelled rows; the share of the pool in components that have a label; what the labels themselves promise."""
    stores = [spread.store for spread in view.propagations.values()]
    mass = np.asarray(as_matrix(view.description.responsibilities).sum(axis=0), np.float64).ravel()
    covered = np.zeros(len(mass), bool)
    for store in stores:
        covered |= store.s.sum(axis=1) >= COVERED_FROM
    accuracy = left_out_accuracy(stores)
    return {
        "labelled": int(view.labelled.sum()),
        "covered_mass": float(np.clip(mass[covered].sum() / max(mass.sum(), 1e-12), 0.0, 1.0)),
        "accuracy": None if accuracy is None else asdict(accuracy),
    }


def training_of(run: TrainingRun | None, *, has_model: bool) -> Json:
    """The unfinished run, as the state shows it."""
    current = run if run is not None and run.status in (runs.Status.QUEUED, runs.Status.RUNNING) else None
    return {
        "status": "idle" if current is None else current.status,
        "run": None if current is None else current.id,
        "epoch": 0 if current is None else len(current.epochs),
        "epochs": 0 if current is None else current.request.get("epochs", 0),
        "phase": None if current is None else current.phase,
        "reason_disabled": None if has_model else NO_MODEL,
    }


def epochs_of(run: TrainingRun) -> list[Json]:
    """What an event `epoch` carries, one for each that is done."""
    common = {"run": run.id, "epochs": run.request.get("epochs", 0)}
    return [{**common, "phase": run.phase, "accuracy": None, **epoch} for epoch in run.epochs]


def changed_of(run: TrainingRun | None) -> Json:
    """How many tasks are named otherwise than before the last training."""
    effect = run.effect if run is not None else None
    return {"run": run.id if run is not None else None, "count": effect.get("changed", 0) if effect else 0}


def _as_shown(control: Json, settings: Mapping[str, object]) -> Json:
    """With the colour of each class, and the name that it is shown as."""
    name, classes = str(control["name"]), cast("list[Json]", control["classes"])
    values = [str(one["name"]) for one in classes]
    shown = shown_names(name, values, settings)
    colours = colours_of(name, values, settings, binary=control["kind"] == "multiple")
    looks = [{"shown_as": called, "colour": colour} for called, colour in zip(shown, colours, strict=True)]
    return {**control, "classes": [{**one, **look} for one, look in zip(classes, looks, strict=True)]}


def _task_kind(project: Project, moment: Moment | None) -> str:
    source = project.settings.get(SOURCE_KEY)
    try:
        read = encoder_kind(str(source["encoder"])) if isinstance(source, Mapping) else None
    except (KeyError, ConfigError):
        read = None
    return read or "text" if moment is None else task_kind(moment.view.schema, read)
