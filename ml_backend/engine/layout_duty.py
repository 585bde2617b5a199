"""The worker's duty about the map: it follows every publication at once, and a better one is computed beside.

The computation runs in a process of its own (`layout_process.py`), one at a time: its memory is not the worker's, and
nothing waits for it. A worker killed meanwhile loses it; the next one starts it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ml_backend.config import Settings
from ml_backend.engine.layout_files import fits_folder, load_places, new_name, sweep, sweep_fits
from ml_backend.engine.layout_job import LayoutJob
from ml_backend.engine.layout_making import carry_newest
from ml_backend.engine.layout_rules import fit_wanted
from ml_backend.errors import CheckpointError
from ml_backend.store import layouts, projects, publications
from ml_backend.store.database import Database
from ml_backend.store.layouts import Kind
from ml_backend.store.tables import Layout, Project, Publication

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 3600.0


class RunningFit(Protocol):
    """A computation in another process."""

    def exit_status(self) -> int | None:
        """None while it runs, 0 when the result is complete."""


@dataclass(frozen=True)
class _Fit:
    uid: str
    job: LayoutJob
    publication: Publication
    process: RunningFit
    started: float


@dataclass(frozen=True)
class _Standing:
    """What the database says of one project's map."""

    project: Project
    publication: Publication | None
    layout: Layout | None
    frame_shown: bool

    @property
    def behind(self) -> bool:
        """Whether the map was made for another publication than the newest."""
        if self.publication is None or self.layout is None:
            return False
        return self.layout.description_path != self.publication.description_path


class LayoutDuty:
    """Worker duty: `due` is a few cheap reads, `run` needs the project's lease and takes no longer than a carry."""

    def __init__(self, db: Database, settings: Settings, start: Callable[[LayoutJob], RunningFit]) -> None:
        self._db = db
        self._settings = settings
        self._start = start
        self._fits: dict[str, _Fit] = {}
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._lost: dict[str, int] = {}

    def due(self, uid: str) -> bool:
        """Whether the map is behind the newest publication, a computed one is ready, or a better one is wanted."""
        standing = self._read(uid)
        if standing.frame_shown or self._ended(uid):
            return True
        if self._waits(uid):
            return False
        return standing.behind or (not self._busy() and self._wanted(standing) is not None)

    def run(self, uid: str) -> None:
        """Take in what was computed, follow the publication, then start what is wanted. No training runs now."""
        if self._ended(uid):
            self._take_in(uid)
        standing = self._read(uid)
        if standing.behind and not self._waits(uid):
            self._follow(standing)
            standing = self._read(uid)
        if standing.frame_shown:
            self._end_frames(uid)
        kind = self._wanted(standing)
        if not self._busy() and kind is not None and not self._waits(uid):
            self._begin(standing, kind)

    def _read(self, uid: str) -> _Standing:
        with self._db.read() as session:
            project = projects.ensure(session, uid)
            _, frame_path = layouts.frame(session, project)
            layout = layouts.newest(session, project)
            if layout is not None and layout.number == self._lost.get(uid):
                layout = None
            return _Standing(project, publications.newest(session, project), layout, frame_path is not None)

    def _wanted(self, standing: _Standing) -> Kind | None:
        if standing.publication is None or standing.behind:
            return None
        return fit_wanted(standing.layout, time.time())

    def _ended(self, uid: str) -> bool:
        fit = self._fits.get(uid)
        return fit is not None and fit.process.exit_status() is not None

    def _busy(self) -> bool:
        """Whether a map of any project is being computed: one at a time, for the memory's sake."""
        return any(fit.process.exit_status() is None for fit in self._fits.values())

    def _waits(self, uid: str) -> bool:
        return time.monotonic() < self._not_before.get(uid, 0.0)

    def _follow(self, standing: _Standing) -> None:
        """Where no map can be read any more, the project has none until one is computed. The rows stay: no number may
        stand for two maps.
        """
        assert standing.layout is not None
        assert standing.publication is not None
        uid = standing.project.uid
        try:
            if not carry_newest(self._db, uid, standing.publication):
                self._lost[uid] = standing.layout.number
        except CheckpointError as error:
            self._failed(uid, str(error))
        self._sweep(uid)

    def _end_frames(self, uid: str) -> None:
        with self._db.write() as session:
            layouts.end_frames(session, projects.ensure(session, uid))
        self._sweep(uid)

    def _sweep(self, uid: str) -> None:
        sweep(self._db, uid)
        if uid not in self._fits:
            sweep_fits(self._db, uid)

    def _begin(self, standing: _Standing, kind: Kind) -> None:
        publication, layout, home = standing.publication, standing.layout, self._db.path.parent
        assert publication is not None
        uid = standing.project.uid
        job = LayoutJob(
            kind=kind,
            model_path=str(home / publication.model_path),
            description_path=str(home / publication.description_path),
            previous=str(home / layout.path) if layout else None,
            root=str(fits_folder(self._db, standing.project)),
            name=new_name(kind),
            seed=self._settings.seed,
        )
        log.info("project %s: a new map (%s) is being computed", uid, kind)
        self._fits[uid] = _Fit(uid, job, publication, self._start(job), time.monotonic())

    def _take_in(self, uid: str) -> None:
        fit = self._fits.pop(uid)
        status = fit.process.exit_status()
        try:
            if status != 0:
                raise CheckpointError(f"its process ended with status {status}")
            self._add(fit)
        except CheckpointError as error:
            self._failed(uid, str(error))
            return
        self._failures.pop(uid, None)

    def _add(self, fit: _Fit) -> None:
        path = Path(fit.job.root) / fit.job.name
        n, now = len(load_places(path)), time.time()
        with self._db.write() as session:
            project = projects.ensure(session, fit.uid)
            layouts.add(
                session,
                project,
                kind=fit.job.kind,
                publication_number=fit.publication.number,
                description_path=fit.publication.description_path,
                path=str(path.relative_to(self._db.path.parent)),
                items=n,
                fitted_to=fit.publication.description_path,
                fitted_items=n,
                fitted_at=now,
                now=now,
            )
        self._sweep(fit.uid)
        seconds = time.monotonic() - fit.started
        log.info("project %s: new map (%s) of %d items in %.0f s", fit.uid, fit.job.kind, n, seconds)

    def _failed(self, uid: str, why: str) -> None:
        failures = self._failures[uid] = self._failures.get(uid, 0) + 1
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (failures - 1))
        self._not_before[uid] = time.monotonic() + wait
        log.warning("project %s: no new map, again in %.0f s: %s", uid, wait, why)
