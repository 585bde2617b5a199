"""What the page of the map shows besides the points, as plain JSON."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ml_backend.engine.engine import Engine
from ml_backend.engine.label_sets import BINARY_CLASSES, store_name
from ml_backend.engine.map_colours import colours_of
from ml_backend.engine.map_columns import NO_CLASS, MapColumns, Marks
from ml_backend.engine.schema import schema_of
from ml_backend.engine.view import ProjectView
from ml_backend.store import projects, runs, tasks
from ml_backend.store.tables import Project, TrainingRun

Json = dict[str, object]


def map_state(engine: Engine, uid: str, address_of: Callable[[Project], object | None]) -> Json:
    """The reply of GET state. address_of: where a project's Label Studio is (an object with `url`), or None."""
    view = engine.view(uid)
    with engine.db.read() as session:
        project = projects.ensure(session, uid)
        run = runs.newest(session, project)
        n_tasks, unreadable = tasks.count_live(session, project), len(tasks.unreadable(session, project))
    address = address_of(project)
    url = getattr(address, "url", None)
    return {
        "project": project.uid,
        "title": project.title,
        "task_kind": "text",
        "label_studio": {"url": url, "project": project.label_studio_id} if url else None,
        "items": 0 if view is None else len(view.snapshot.task_ids),
        "versions": versions_of(view, project),
        "controls": [] if view is None else controls_of(view, project),
        "layout": {"kind": "none", "better_on_its_way": False},
        "progress": {
            "labelled": 0 if view is None else int(view.labelled.sum()),
            "tasks": n_tasks,
            "covered_mass": 0.0,
            "accuracy": None,
            "unreadable": unreadable,
        },
        "training": training_of(run),
        "settings": {
            "alpha0": None if view is None else view.settings.alpha0,
            "never_seen_level": engine.settings.never_seen_level if view is None else view.settings.never_seen_level,
            "query": engine.settings.query if view is None else view.settings.query,
        },
        "outbox": {"waiting": 0, "failed": 0, "sent": 0},
        "changed": {"run": None, "count": 0},
        "components": 0 if view is None else view.snapshot.description.responsibilities.n_components,
        "used_components": 0,
    }


def versions_of(view: ProjectView | None, project: Project) -> Json:
    """What the columns depend on; of the view that would be served now, so that nobody asks for what is not there."""
    if view is None:
        return {"publication": 0, "labels": project.labels_version, "layout": 0, "rows": "", "frame": 0}
    return {
        "publication": view.number,
        "labels": view.labels_version,
        "layout": 0,
        "rows": view.snapshot.rows_version,
        "frame": 0,
    }


def map_pulse(engine: Engine, uid: str) -> tuple[dict[str, Json], int | None, list[Json]]:
    """What events tell: versions, training and outbox as in the state; the newest run and its epochs."""
    view = engine.view(uid)
    with engine.db.read() as session:
        project = projects.ensure(session, uid)
        run = runs.newest(session, project)
    values: dict[str, Json] = {
        "versions": versions_of(view, project),
        "training": training_of(run),
        "outbox": {"waiting": 0, "failed": 0, "sent": 0},
    }
    return values, run.id if run else None, [] if run is None else epochs_of(run)


def epochs_of(run: TrainingRun) -> list[Json]:
    """What an event `epoch` carries, one for each that is done."""
    return [
        {"run": run.id, "epochs": run.request.get("epochs", 0), "phase": None, "accuracy": None, **epoch}
        for epoch in run.epochs
    ]


def controls_of(view: ProjectView, project: Project) -> list[Json]:
    """Name, kind and classes with colour and counts, in the label config's order."""
    found: list[Json] = []
    marks = Marks.none(len(view.snapshot.task_ids))
    for control in schema_of(project).controls:
        multiple = control.kind == "multiple"
        names = [store_name(control, choice) for choice in control.classes] if multiple else [control.name]
        for name in names:
            columns = MapColumns(view, name, marks)
            classes = BINARY_CLASSES if multiple else control.classes
            colours = colours_of(name, classes, project.settings, binary=multiple)
            human = np.bincount(columns.human, minlength=NO_CLASS + 1)
            named = np.bincount(columns.named, minlength=NO_CLASS + 1)
            found.append(
                {
                    "name": name,
                    "kind": control.kind,
                    "classes": [
                        {"name": c, "colour": colour, "human": int(human[i]), "propagated": int(named[i] - human[i])}
                        for i, (c, colour) in enumerate(zip(classes, colours, strict=True))
                    ],
                }
            )
    return found


def training_of(run: TrainingRun | None) -> Json:
    """The unfinished run, as the state shows it."""
    running = run is not None and run.status in (runs.Status.QUEUED, runs.Status.RUNNING)
    return {
        "status": run.status if run is not None and running else "idle",
        "run": run.id if run is not None and running else None,
        "epoch": len(run.epochs) if run is not None and running else 0,
        "epochs": run.request.get("epochs", 0) if run is not None and running else 0,
        "phase": run.phase if run is not None and running else None,
        "reason_disabled": None,
    }
