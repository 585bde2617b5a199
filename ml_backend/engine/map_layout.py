"""Where the items stand on the map right now: what a request reads."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ml_backend.core.layout.square import Places
from ml_backend.engine.layout_carrying import carry
from ml_backend.engine.layout_files import Frame, load_frame, load_places
from ml_backend.engine.layout_rules import fit_wanted
from ml_backend.engine.snapshot import Snapshot
from ml_backend.errors import CheckpointError
from ml_backend.store import layouts, projects, publications
from ml_backend.store.database import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LayoutState:
    """What can be said of a project's map without reading its files. number: 0 = there is no map yet. frame: number
    of the newest frame of a training, or of the end of the last one.
    """

    number: int
    kind: Literal["pca", "pacmap", "none"]
    better_on_its_way: bool
    frame: int


@dataclass(frozen=True)
class MapLayout:
    """xy (N, 2) float32 within [-1, 1], a row for each of the snapshot's; all 0 while number is 0."""

    number: int
    xy: Places


class LayoutReader:
    """Reads a project's newest layout and frame; keeps the last of each in memory. Safe for threads."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._layouts: dict[str, tuple[Snapshot, MapLayout]] = {}
        self._frames: dict[str, Frame] = {}

    def state(self, uid: str) -> LayoutState:
        """A few cheap reads. Raises InputError for a project that is not known."""
        with self._db.read() as session:
            project = projects.ensure(session, uid)
            layout = layouts.newest(session, project)
            published = publications.newest(session, project) is not None
            frame, _ = layouts.frame(session, project)
        if layout is None:
            return LayoutState(0, "none", published, frame)
        kind: Literal["pca", "pacmap"] = "pca" if layout.kind == layouts.Kind.PCA else "pacmap"
        return LayoutState(layout.number, kind, fit_wanted(layout, time.time()) is not None, frame)

    def read(self, uid: str, snapshot: Snapshot) -> MapLayout:
        """Places of the snapshot's rows in the newest intact layout; rows that it does not know stand by their
        neighbours.
        """
        with self._db.read() as session:
            listed = layouts.list_all(session, projects.ensure(session, uid))
        for layout in listed:
            kept = self._layouts.get(uid)
            if kept is not None and kept[0] is snapshot and kept[1].number == layout.number:
                return kept[1]
            try:
                items = load_places(self._db.path.parent / layout.path)
            except CheckpointError as error:
                log.error("project %s, layout %d: %s", uid, layout.number, error)
                continue
            found = MapLayout(layout.number, carry(items, snapshot))
            self._layouts[uid] = (snapshot, found)
            return found
        return MapLayout(0, np.zeros((len(snapshot.task_ids), 2), np.float32))

    def frame(self, uid: str) -> Frame | None:
        """The map as it is between two epochs of the training that runs now; None when none is shown.

        Its rows are those of the newest publication.
        """
        with self._db.read() as session:
            project = projects.ensure(session, uid)
            number, path = layouts.frame(session, project)
            publication = publications.newest(session, project)
        if path is None or publication is None:
            self._frames.pop(uid, None)
            return None
        kept = self._frames.get(uid)
        if kept is None or kept.number != number:
            try:
                kept = self._frames[uid] = load_frame(self._db.path.parent / path, number)
            except CheckpointError as error:
                log.info("project %s: frame %d was replaced while it was read: %s", uid, number, error)
                return None
        return kept if kept.description_path == publication.description_path else None
