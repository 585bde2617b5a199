"""The worker's duty about remembered encodings: those that no project uses go, and the others stay in bounds.

They are for all projects together, so whichever project comes first after an hour does it.
"""

from __future__ import annotations

import logging
import time

from ml_backend.config import Settings
from ml_backend.engine.reading import Readers
from ml_backend.engine.schema import schema_of
from ml_backend.errors import CheckpointError
from ml_backend.store import artifacts, projects, publications
from ml_backend.store.database import Database

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
"""And not before this time after the start: by then the projects' encoders have been asked for."""


class CacheDuty:
    """Worker duty: once an hour."""

    def __init__(self, db: Database, settings: Settings, readers: Readers) -> None:
        self._db = db
        self._settings = settings
        self._readers = readers
        self._next = time.monotonic() + EVERY_SECONDS

    def due(self, _uid: str) -> bool:
        """Whether an hour has passed."""
        return time.monotonic() >= self._next

    def run(self, _uid: str) -> None:
        """Drop what is not used, then what is too much."""
        self._next = time.monotonic() + EVERY_SECONDS
        cache = self._readers.cache
        for name in self._unused():
            dropped = cache.forget(name)
            log.info("%d encodings of %s were forgotten: no project uses it", dropped, name)
        dropped = cache.trim(self._settings.cache_bytes)
        if dropped:
            log.info("%d encodings were dropped: LANTERN_CACHE_BYTES=%d", dropped, self._settings.cache_bytes)

    def _unused(self) -> list[str]:
        """Encoders that nothing was published with and this process has not used. None of them while some project's
        encoder is not known: it may be in the middle of its first encoding.
        """
        published = self._published_with()
        if published is None:
            return []
        used = self._readers.loaded()
        names = (name for name in self._readers.cache.encoders() if name not in used)
        return [name for name in names if not any(identity.startswith(f"{name}[") for identity in published)]

    def _published_with(self) -> list[str] | None:
        """`Reader.identity` of each project's newest publication; None when one of a project with tasks is missing."""
        with self._db.read() as session:
            read = [project for project in projects.list_all(session) if project.data_version]
            newest = [publications.newest(session, project) for project in read if schema_of(project).controls]
        if None in newest:
            return None
        folders = [self._db.path.parent / publication.model_path for publication in newest if publication is not None]
        try:
            return [str(artifacts.read_manifest(folder)["encoder"]) for folder in folders]
        except CheckpointError as error:
            log.warning("no encodings are forgotten: %s", error)
            return None
