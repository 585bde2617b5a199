"""Makes the store equal to Label Studio, for all that webhooks never tell: imported annotations, edited task data,
lost posts.

Everything is read, checked and spooled to a file first; a page that cannot be read raises and nothing has changed.
What changed through webhooks while the pages were read is kept. Tasks come page by page; annotations are asked for
only where the task says that it has some, or where the store has some.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select, type_coerce
from sqlalchemy.types import Text

from ml_backend.errors import LabelStudioError
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.contract import parse_id, parse_time
from ml_backend.label_studio.events import annotation_row
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import overtaken, projects, tasks
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.jsontext import to_text
from ml_backend.store.tables import Project, Task

log = logging.getLogger(__name__)

PAGE_SIZE = 1_000
ATTEMPTS = 3
"""How often the pages are read again because tasks came or went in between."""
BY_ID = {"ordering": ["tasks:id"]}


@dataclass(frozen=True)
class Reconciled:
    """What a reconcile found and changed."""

    tasks: int
    annotations: int
    tasks_changed: int
    labels_changed: int
    seconds: float


@dataclass
class _Export:
    """All tasks of a project, spooled as one JSON line each, and which of them have annotations."""

    spool: IO[str]
    ids: set[int] = field(default_factory=set)
    annotated: list[int] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """(task id, data), in the order of ids."""
        self.spool.seek(0)
        for line in self.spool:
            task_id, data = json.loads(line)
            yield task_id, data


def reconcile(db: Database, api: LabelStudioApi, uid: str) -> Reconciled:
    """Read the whole project and make the store equal to it. Raises LabelStudioError; then nothing has changed."""
    started = time.time()
    with db.read() as session:
        project = projects.ensure(session, uid)
    labelled = _labelled_tasks(db, project)
    found = api.project(project.label_studio_id)
    check_same_project(project, found)
    with tempfile.TemporaryFile("w+", encoding="ascii", dir=_spool_folder(db), prefix="reconcile-") as spool:
        export = _read_tasks(api, project.label_studio_id, spool)
        wanted = sorted(set(export.annotated) | (labelled & export.ids))
        rows = [row for task in api.full_tasks(project.label_studio_id, wanted) for row in _annotations(task)]
        return _write(db, project, found, export, rows, started)


def check_same_project(project: Project, found: dict[str, Any]) -> None:
    """Numbers are given again after Label Studio's database was reset: the time of creation must fit, too."""
    if "." in project.uid and found["uid"] != project.uid:
        raise LabelStudioError(
            f"project {project.label_studio_id} of that Label Studio is not the one that is known here as "
            f"{project.uid}: connect it with `lantern connect --project {project.label_studio_id}`"
        )


def _write(
    db: Database,
    project: Project,
    found: dict[str, Any],
    export: _Export,
    rows: list[AnnotationRow],
    started: float,
) -> Reconciled:
    tasks_differ = _tasks_differ(db, project, export)
    for row in rows:
        row.text  # noqa: B018 -- computed before the write lock is taken
    with db.write() as session:
        known = projects.ensure(session, found["uid"])
        projects.configure(session, known, label_config=found.get("label_config"), title=found.get("title"))
        tasks_changed, labels_before = 0, annotation_rows.label_ids(session, known)
        if tasks_differ:
            tasks_changed = tasks.replace_all(session, known, export.rows(), project.data_version)
            projects.touch_data(session, known, tasks_changed, started)
        skipped = annotation_rows.skips(session, known)
        labels_changed = len(annotation_rows.label_ids(session, known) ^ labels_before)  # gone or back with their tasks
        labels_changed += annotation_rows.replace_all(
            session, known, rows, started, since_version=project.labels_version
        )
        labels_changed += overtaken.catch_up(session, known)
        if not labels_changed and annotation_rows.skips(session, known) != skipped:
            projects.touch_scores(session, known)
        projects.touch_labels(session, known, labels_changed, started)
        projects.reconciled(session, known, started)
    done = Reconciled(len(export.ids), len(rows), tasks_changed, labels_changed, time.time() - started)
    log.info("project %s reconciled: %s", found["uid"], done)
    return done


def _read_tasks(api: LabelStudioApi, number: int, spool: IO[str]) -> _Export:
    for _ in range(ATTEMPTS):
        spool.seek(0)
        spool.truncate()
        export = _Export(spool)
        if _read_pages(api, number, export):
            return export
    raise LabelStudioError(f"the tasks of project {number} keep changing while they are read")


def _read_pages(api: LabelStudioApi, number: int, export: _Export) -> bool:
    """False when tasks came or went between two pages, so that some may be missing."""
    page = api.task_page(number, 1, PAGE_SIZE, query=BY_ID)
    total, count = page.total, 1
    while page.tasks:
        for task in page.tasks:
            _spool_task(export, number, task, count)
        if page.total != total:
            return False
        if len(export.ids) >= total:
            break
        count += 1
        page = api.task_page(number, count, PAGE_SIZE, query=BY_ID)
    return len(export.ids) == total


def _spool_task(export: _Export, number: int, task: dict[str, Any], page: int) -> None:
    task_id, data = parse_id(task.get("id")), task.get("data")
    if task_id is None or not isinstance(data, dict) or task.get("project") != number:
        raise LabelStudioError(f"page {page} of the tasks of project {number} holds something that is no task of it")
    if task_id in export.ids:
        return
    export.ids.add(task_id)
    export.spool.write(json.dumps([task_id, data]) + "\n")
    if task.get("total_annotations") or task.get("cancelled_annotations"):
        export.annotated.append(task_id)


def _annotations(task: dict[str, Any]) -> Iterator[AnnotationRow]:
    task_id, given = parse_id(task.get("id")), task.get("annotations")
    if task_id is None or not isinstance(given, list):
        raise LabelStudioError("the export holds a task without id or without annotations")
    for item in given:
        updated = parse_time(item.get("updated_at")) if isinstance(item, dict) else None
        row = annotation_row({**item, "task": task_id}, updated) if updated is not None else None
        if row is None:
            raise LabelStudioError(f"the export holds an annotation of task {task_id} without id or time")
        yield row


def _labelled_tasks(db: Database, project: Project) -> set[int]:
    with db.read() as session:
        return {row.task_id for row in annotation_rows.live(session, project) if row.task_id is not None}


def _tasks_differ(db: Database, project: Project, export: _Export) -> bool:
    """Compared row by row without the write lock, which webhooks wait for: mostly nothing has changed."""
    query = select(Task.task_id, type_coerce(Task.data, Text)).where(
        Task.project_id == project.id, Task.deleted.is_(False)
    )
    exported = export.rows()
    with db.read() as session:
        for task_id, text in session.execute(query.order_by(Task.task_id).execution_options(yield_per=500)):
            if (row := next(exported, None)) is None or row[0] != task_id or to_text(row[1]) != text:
                return True
    return next(exported, None) is not None


def _spool_folder(db: Database) -> Path:
    """Beside the database, where there is room for a copy of it."""
    return db.path.parent
