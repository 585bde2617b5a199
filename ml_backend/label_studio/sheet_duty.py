"""What the worker does for those who draw on the map: a new sheet when the map has moved, old ones away, and what lost
webhooks would have told.
"""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import Any

from ml_backend.config import Settings
from ml_backend.engine.layout_files import load_places
from ml_backend.errors import LabelStudioError, LabelStudioRefused
from ml_backend.label_studio import wanted
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.connections import Connections, as_connected
from ml_backend.label_studio.contract import parse_id, parse_time
from ml_backend.label_studio.duties import LabelStudioDuty
from ml_backend.label_studio.events import annotation_row
from ml_backend.label_studio.sheet_config import PICTURE
from ml_backend.label_studio.sheet_link import SheetLink, link_of
from ml_backend.label_studio.sheets import damaged, forget_sheets, replace_drawings, save_sheet
from ml_backend.store import artifacts, drawings, layouts, projects, sheets
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.tables import MapSheet, Project

log = logging.getLogger(__name__)

REST_SECONDS = 60.0
"""Shortest time between two sheets."""
UNUSED_SECONDS = 3600.0
"""An older sheet on which nobody has drawn goes after this time."""


class SheetDuty(LabelStudioDuty):
    """Sheets of the projects that have a link to some."""

    name = "sheets"

    def __init__(self, db: Database, settings: Settings, connections: Connections) -> None:
        super().__init__(db, settings, connections)
        self._compared: dict[str, float] = {}

    def _is_due(self, project: Project, now: float) -> bool:
        link = link_of(project)
        if link is None:
            return False
        compare = self._compare_due(project.uid)
        return compare or self._moved(project, now) if link.active else compare and bool(self._drawn(project))

    def _do(self, uid: str, api: LabelStudioApi) -> None:
        with self._db.read() as session:
            project = projects.ensure(session, uid)
        link, now = link_of(project), time.time()
        if link is None:
            return
        try:
            if link.active and self._moved(project, now):
                self._make(project, link, api, now)
            if self._compare_due(uid):
                if link.active:
                    self._compare(project, link, api, now)
                    self._replace_damaged(project, link, api, now)
                else:
                    self._let_go(project, link, api, now)
                self._compared[uid] = time.monotonic() + self._settings.reconcile_seconds
        except LabelStudioRefused as error:
            if error.http_status != HTTPStatus.NOT_FOUND or not api.lacks_project(link.project):
                raise
            log.warning("project %s: the project with its sheets is gone from Label Studio", uid)
            forget_sheets(self._db, project, now)

    def _compare_due(self, uid: str) -> bool:
        return time.monotonic() >= self._compared.get(uid, 0.0)

    def _moved(self, project: Project, now: float) -> bool:
        with self._db.read() as session:
            layout, sheet = layouts.newest(session, project), sheets.newest(session, project)
        if layout is None or sheet is None:
            return layout is not None
        # a sheet of the future says that the clock was put back
        return sheet.layout_number != layout.number and not 0.0 <= now - sheet.created_at < REST_SECONDS

    def _make(self, project: Project, link: SheetLink, api: LabelStudioApi, now: float) -> None:
        with self._db.read() as session:
            layout, before = layouts.newest(session, project), sheets.newest(session, project)
        if layout is None:
            return
        items = load_places(self._db.path.parent / layout.path)
        number = before.number + 1 if before is not None else 1
        task = self._task(link, api, number, self._data(project, link, number, layout.number))
        path = save_sheet(self._db, project, items)  # last: what fails before leaves no files
        with self._db.write() as session:
            row = projects.ensure(session, project.uid)
            sheets.add(session, row, number=number, layout_number=layout.number, path=path, task_id=task, now=now)

    def _task(self, link: SheetLink, api: LabelStudioApi, number: int, data: dict[str, object]) -> int:
        """The task of a new sheet: the one that an earlier try left, whose answer was lost, or a new one."""
        for task, there in _tasks(api, link.project).items():
            # what somebody drew on is no sheet that nobody could see yet
            if isinstance(there, dict) and there.get("sheet") == number and _unused(api, task):
                api.update_task(task, data)
                return task
        return api.create_task(link.project, data)

    def _data(self, project: Project, link: SheetLink, number: int, layout_number: int) -> dict[str, object]:
        """What the task of a sheet says."""
        lantern = wanted.browser_url(as_connected(self._settings, project))
        picture = link.picture_url(lantern, project, number)
        return {PICTURE: picture, "sheet": number, "layout_version": layout_number}

    def _compare(self, project: Project, link: SheetLink, api: LabelStudioApi, now: float) -> None:
        known, kept = self._drawn(project), self._kept(project)
        there = _tasks(api, link.project)
        rows = _drawn_there(api, link, kept, there)
        replace_drawings(self._db, project, rows, known, now)
        for sheet in kept:
            data = self._data(project, link, sheet.number, sheet.layout_number)
            if sheet.task_id in there and there[sheet.task_id] != data:  # such as another address of Lantern
                api.update_task(sheet.task_id, data)
        drawn_on = {row.task_id for row in rows}
        for sheet in kept[1:]:
            if sheet.task_id not in there:
                self._forget(project, sheet)
            elif sheet.task_id in drawn_on or now < sheet.created_at + UNUSED_SECONDS:
                continue
            elif _unused(api, sheet.task_id):
                api.delete_task(sheet.task_id)
                self._forget(project, sheet)

    def _let_go(self, project: Project, link: SheetLink, api: LabelStudioApi, now: float) -> None:
        """Switched off, nothing new counts; what is deleted there gives no labels any more, as long as it gives any."""
        known = set(self._drawn(project))  # first: what is drawn meanwhile, with it switched on again, is not gone
        rows = _drawn_there(api, link, self._kept(project), _tasks(api, link.project))
        gone = known - {row.annotation_id for row in rows}
        with self._db.write() as session:
            row = projects.ensure(session, project.uid)
            projects.touch_labels(session, row, drawings.remove(session, row, sorted(gone)), now)

    def _drawn(self, project: Project) -> list[int]:
        with self._db.read() as session:
            return [row.annotation_id for row in drawings.live(session, project)]

    def _kept(self, project: Project) -> list[MapSheet]:
        with self._db.read() as session:
            return sheets.list_all(session, project)

    def _replace_damaged(self, project: Project, link: SheetLink, api: LabelStudioApi, now: float) -> None:
        """Nobody can draw on a picture whose places are lost; that of an older sheet stays for what was drawn there."""
        with self._db.read() as session:
            newest = sheets.newest(session, project)
        if newest is not None and damaged(self._db, [newest]):
            self._make(project, link, api, now)

    def _forget(self, project: Project, sheet: MapSheet) -> None:
        with self._db.write() as session:
            sheets.remove(session, projects.ensure(session, project.uid), sheet.number)
        artifacts.remove(self._db.path.parent / sheet.path)


def _unused(api: LabelStudioApi, task_id: int) -> bool:
    """Whether nobody is drawing on a sheet now, either, or has submitted something since the export was made: with the
    task Label Studio would delete that, too.
    """
    task = api.task(task_id)
    return not task.get("drafts") and not task.get("annotations")


def _tasks(api: LabelStudioApi, number: int) -> dict[int, object]:
    """Data by id, of all tasks of the project."""
    found: dict[int, object] = {}
    page = 1
    while tasks := api.task_page(number, page, 1_000).tasks:
        found |= {task_id: task.get("data") for task in tasks if (task_id := parse_id(task.get("id"))) is not None}
        page += 1
    return found


def _drawn_there(
    api: LabelStudioApi, link: SheetLink, kept: list[MapSheet], there: dict[int, object]
) -> list[AnnotationRow]:
    """Everything that is drawn on the sheets, as Label Studio has it. there: the tasks of its project."""
    wanted_tasks = sorted({sheet.task_id for sheet in kept} & set(there))
    return [row for task in api.full_tasks(link.project, wanted_tasks) for row in _annotations(task)]


def _annotations(task: dict[str, Any]) -> list[AnnotationRow]:
    given = task.get("annotations")
    rows = [
        annotation_row({**item, "task": task.get("id")}, updated)
        for item in (given if isinstance(given, list) else ())
        if isinstance(item, dict) and (updated := parse_time(item.get("updated_at"))) is not None
    ]
    if not isinstance(given, list) or len(rows) != len(given) or None in rows:
        raise LabelStudioError(f"the export of task {task.get('id')} holds an annotation without id or time")
    return [row for row in rows if row is not None]
