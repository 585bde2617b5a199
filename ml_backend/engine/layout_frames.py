"""The map between two epochs, for those who watch it: what the items belong to by now, and where that takes them."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from ml_backend.core.layout.drift import drift
from ml_backend.core.layout.square import Places
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.checkpoint import Working
from ml_backend.engine.layout_carrying import carry
from ml_backend.engine.layout_files import layout_folder, load_places, new_name, save_frame, sweep
from ml_backend.engine.snapshot import load_description
from ml_backend.errors import CheckpointError
from ml_backend.store import layouts, projects, publications
from ml_backend.store.database import Database

log = logging.getLogger(__name__)


class Frames:
    """Frames of one training of the newest publication's pool. While nobody watches, a frame costs one read."""

    def __init__(self, db: Database, uid: str, working: Working) -> None:
        self._db = db
        self._uid = uid
        self._working = working
        self._start: _Start | None = None
        self._shown: tuple[str, ...] = ()

    def write(self) -> None:
        """Show the model as it is now, if somebody watches. A map that cannot be read shows nothing: the training
        goes on.
        """
        with self._db.read() as session:
            watched = layouts.watched(session, projects.ensure(session, self._uid), time.time())
        if not watched:
            return
        try:
            self._write()
        except CheckpointError as error:
            log.warning("project %s: no frame of this epoch: %s", self._uid, error)

    def _write(self) -> None:
        start = self._start = self._start or _Start.of(self._db, self._uid, len(self._working.pool))
        if start is None:
            return
        pool = self._working.pool
        now = pool.model.responsibilities(pool.x, temperature=pool.settings.temperature)
        path = save_frame(
            start.folder,
            new_name("frame"),
            drift(start.xy, start.responsibilities, now),
            now,
            description_path=start.description_path,
            layout_number=start.layout_number,
        )
        with self._db.write() as session:
            layouts.show_frame(
                session, projects.ensure(session, self._uid), str(path.relative_to(self._db.path.parent))
            )
        # The frame before is kept: somebody may just be reading it.
        self._shown = (*self._shown, path.name)[-2:]
        sweep(self._db, self._uid, keep=frozenset(self._shown))


class _Start:
    """The map before the training: what the frames move away from."""

    def __init__(
        self, folder: Path, description_path: str, layout_number: int, xy: Places, r: SparseResponsibilities
    ) -> None:
        self.folder = folder
        self.description_path = description_path
        self.layout_number = layout_number
        self.xy = xy
        self.responsibilities = r

    @staticmethod
    def of(db: Database, uid: str, n_items: int) -> _Start | None:
        """None when there is no map yet, or the pool is not that of the newest publication. Raises CheckpointError."""
        with db.read() as session:
            project = projects.ensure(session, uid)
            layout, publication = layouts.newest(session, project), publications.newest(session, project)
        if layout is None or publication is None:
            return None
        home = db.path.parent
        snapshot = load_description(home / publication.description_path)
        if len(snapshot.task_ids) != n_items:
            return None
        xy = carry(load_places(home / layout.path), snapshot)
        folder = layout_folder(db, project)
        return _Start(folder, publication.description_path, layout.number, xy, snapshot.description.responsibilities)
