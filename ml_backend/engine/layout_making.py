"""Makes layouts count: the first map of a pool that is in memory, and the present map carried to a new publication."""

from __future__ import annotations

import logging
import time

from ml_backend.core.layout.plane import principal_plane
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.checkpoint import Working
from ml_backend.engine.layout_carrying import carry, same_rows
from ml_backend.engine.layout_files import (
    PlacedItems,
    layout_folder,
    load_places,
    new_name,
    save_places,
)
from ml_backend.engine.snapshot import load_description
from ml_backend.errors import CheckpointError
from ml_backend.store import layouts, projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Layout, Publication

log = logging.getLogger(__name__)


def first_layout(db: Database, uid: str, working: Working, publication: Publication) -> None:
    """The plane of largest variance, when the project has no map yet: seconds after the first publication."""
    with db.read() as session:
        project = projects.ensure(session, uid)
        if layouts.newest(session, project) is not None:
            return
    started = time.time()
    xy = principal_plane(working.pool.model.features(working.pool.x))
    items = PlacedItems(working.matrix.task_ids, xy)
    path = save_places(layout_folder(db, project), new_name("pca"), items)
    now = time.time()
    with db.write() as session:
        layouts.add(
            session,
            projects.ensure(session, uid),
            kind=layouts.Kind.PCA,
            publication_number=publication.number,
            description_path=publication.description_path,
            path=str(path.relative_to(db.path.parent)),
            items=len(items),
            fitted_to=publication.description_path,
            fitted_items=len(items),
            fitted_at=now,
            now=now,
        )
    log.info("project %s: first map of %d items in %.1f s", uid, len(items), now - started)


def carry_newest(db: Database, uid: str, publication: Publication) -> bool:
    """A new layout: the newest one whose files can be read, carried to the publication. False: none can be read.

    Raises CheckpointError when files of the publication are gone or damaged.
    """
    with db.read() as session:
        listed = layouts.list_all(session, projects.ensure(session, uid))
    for layout in listed:
        try:
            items = load_places(db.path.parent / layout.path)
        except CheckpointError as error:
            log.error("project %s, layout %d: %s", uid, layout.number, error)
            continue
        _carry(db, uid, layout, items, publication)
        return True
    return False


def _carry(db: Database, uid: str, layout: Layout, items: PlacedItems, publication: Publication) -> None:
    home = db.path.parent
    snapshot = load_description(home / publication.description_path)
    same = same_rows(items, snapshot)
    xy = carry(items, snapshot, _said_then(db, layout) if same else None)
    with db.read() as session:
        project = projects.ensure(session, uid)
    path = save_places(layout_folder(db, project), new_name("carried"), PlacedItems(snapshot.task_ids, xy))
    with db.write() as session:
        layouts.add(
            session,
            projects.ensure(session, uid),
            kind=layout.kind,
            publication_number=publication.number,
            description_path=publication.description_path,
            path=str(path.relative_to(home)),
            items=len(xy),
            fitted_to=layout.fitted_to,
            fitted_items=layout.fitted_items if same else 0,
            fitted_at=layout.fitted_at,
            now=time.time(),
        )


def _said_then(db: Database, layout: Layout) -> SparseResponsibilities | None:
    """Responsibilities when the layout's items were placed; None when their publication is forgotten."""
    try:
        return load_description(db.path.parent / layout.description_path).description.responsibilities
    except CheckpointError:
        log.info("layout %d outlived its publication: its items keep their places", layout.number)
        return None
