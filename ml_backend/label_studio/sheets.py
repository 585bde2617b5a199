"""Sheets: pictures of the map on which people draw in Label Studio, and the labels that follow from what they draw.

A sheet keeps the places that its picture shows. So a region means the points that lay in it when it was drawn, however
often the map has moved since. These places are no derived data: nothing else remembers where the points lay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.engine.layout_files import PlacedItems, load_places, new_name, save_places
from ml_backend.engine.picture import to_percent
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.errors import CheckpointError
from ml_backend.label_studio.events import Event, Recorded
from ml_backend.label_studio.regions import labels_of
from ml_backend.label_studio.sheet_link import keep_link, link_of
from ml_backend.store import artifacts, drawings, projects, sheets
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.drawings import Drawn
from ml_backend.store.tables import MapSheet, Project

log = logging.getLogger(__name__)

IN_MEMORY = 4


def sheet_folder(db: Database, project: Project) -> Path:
    """Folder of a project's sheets."""
    return db.path.parent / "sheets" / str(project.id)


def save_sheet(db: Database, project: Project, items: PlacedItems) -> str:
    """Keep the places of a new sheet, rows without a task left out; the path below the home folder. What lies together
    on the map is spread over the whole sheet, where it is easier to draw around.
    """
    kept = items.task_ids != NO_TASK
    places = PlacedItems(items.task_ids[kept], _filling(items.xy[kept]))
    path = save_places(sheet_folder(db, project), new_name("sheet"), places)
    return str(path.relative_to(db.path.parent))


def _filling(xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 2) places, moved and scaled alike in both directions until they fill [-1, 1] in one of them."""
    if len(xy) == 0:
        return xy
    low, high = xy.min(0), xy.max(0)
    half = float((high - low).max()) / 2.0
    return np.asarray((xy - (low + high) / 2.0) / half, np.float32) if half > 0.0 else xy


def load_sheet(db: Database, sheet: MapSheet) -> PlacedItems:
    """What stands where on a sheet. Raises CheckpointError when its files are damaged."""
    return _load(db.path.parent / sheet.path)


@lru_cache(maxsize=IN_MEMORY)
def _load(path: Path) -> PlacedItems:
    return load_places(path)  # never changed once written


@dataclass(frozen=True)
class Read:
    """What annotations of a project's sheets say. unread: ids of those on sheets whose places cannot be read: they are
    there, and what they gave so far stays.
    """

    drawn: list[Drawn]
    unread: frozenset[int]


def read_drawings(db: Database, project: Project, rows: Iterable[AnnotationRow]) -> Read:
    """Annotations of other tasks are left out."""
    link = link_of(project)
    drawn: list[Drawn] = []
    unread: set[int] = set()
    for row in rows if link is not None else ():
        with db.read() as session:
            sheet = sheets.of_task(session, project, row.task_id) if row.task_id is not None else None
        if sheet is None or link is None:
            continue
        try:
            labels = {} if row.was_cancelled else _labels(db, sheet, row)
        except CheckpointError as error:
            log.error("what was drawn on sheet %d of project %s is left as it is: %s", sheet.number, project.uid, error)
            unread.add(row.annotation_id)
            continue
        drawn.append(Drawn(row.annotation_id, sheet.number, row.annotator, link.control, labels, row.updated_at))
    return Read(drawn, frozenset(unread))


def _labels(db: Database, sheet: MapSheet, row: AnnotationRow) -> dict[str, list[int]]:
    items = load_sheet(db, sheet)
    inside = labels_of(row.result, to_percent(items.xy))
    return {label: items.task_ids[rows].tolist() for label, rows in inside.items()}


def damaged(db: Database, kept: Iterable[MapSheet]) -> list[MapSheet]:
    """Those of the sheets whose places are lost or cannot be read."""
    return [sheet for sheet in kept if not _is_readable(db, sheet)]


def _is_readable(db: Database, sheet: MapSheet) -> bool:
    try:
        load_sheet(db, sheet)
    except CheckpointError:
        return False
    return True


def record_drawings(db: Database, owner: Project, event: Event, now: float, *, wait_seconds: float) -> Recorded:
    """A webhook of the Label Studio project that holds the sheets, written in one transaction of its own.

    Places are read and regions worked out before the write lock is taken. Raises StoreBusy like `Database.write`.
    """
    found = read_drawings(db, owner, event.annotations).drawn
    with db.write(wait_seconds=wait_seconds) as session:
        project = projects.ensure(session, owner.uid)
        changed = sum(drawings.put(session, project, drawn) for drawn in found)
        changed += drawings.remove(session, project, event.gone_annotations)
        for task_id in event.gone_tasks:
            sheet = sheets.of_task(session, project, task_id)
            if sheet is not None:
                changed += drawings.remove(session, project, drawings.of_sheet(session, project, sheet.number))
        projects.touch_labels(session, project, changed, now)
    return Recorded(event.action, True, labels_changed=changed)


def forget_sheets(db: Database, owner: Project, now: float) -> None:
    """The Label Studio project with the sheets is gone, and with it what was drawn there."""
    with db.write() as session:
        project = projects.ensure(session, owner.uid)
        kept = sheets.list_all(session, project)
        gone = drawings.remove(session, project, [row.annotation_id for row in drawings.live(session, project)])
        for sheet in kept:
            sheets.remove(session, project, sheet.number)
        projects.touch_labels(session, project, gone, now)
        keep_link(session, project, None)
    for sheet in kept:
        artifacts.remove(db.path.parent / sheet.path)


def replace_drawings(
    db: Database, owner: Project, rows: Sequence[AnnotationRow], known: Sequence[int], now: float
) -> int:
    """Make the drawings equal to a complete export; how many labels changed. known: annotation ids that were there
    before the export began: those that it lacks are gone.
    """
    found = read_drawings(db, owner, rows)
    gone = set(known) - {drawn.annotation_id for drawn in found.drawn} - found.unread
    with db.write() as session:
        project = projects.ensure(session, owner.uid)
        changed = sum(drawings.put(session, project, drawn) for drawn in found.drawn)
        changed += drawings.remove(session, project, gone)
        projects.touch_labels(session, project, changed, now)
    return changed
