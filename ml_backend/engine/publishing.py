"""Files first, pointer last: a publication exists once its row is committed; what a crash leaves behind is swept."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path

from ml_backend.engine.checkpoint import Working, encoder_of, pool_folder_of, save_model
from ml_backend.engine.kept_models import keep_newest
from ml_backend.engine.layout_making import first_layout
from ml_backend.engine.snapshot import save_description
from ml_backend.errors import CheckpointError
from ml_backend.store import artifacts, projects, publications
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Publication

log = logging.getLogger(__name__)

KEPT_PUBLICATIONS = 3
"""How many of the newest publications keep their row and files."""


@dataclass(frozen=True)
class Versions:
    """What a publication was made from. trained: whether a training run lies behind it."""

    data_version: int
    labels_version: int
    trained: bool


def is_there(home: Path, publication: Publication) -> bool:
    """Whether its files are there, at a glance: damaged ones are. A backup of the database alone has none."""
    model, description = home / publication.model_path, home / publication.description_path
    if not (artifacts.is_there(model) and artifacts.is_there(description)):
        return False
    try:
        pool = pool_folder_of(model)
    except CheckpointError:
        return True
    return pool is None or artifacts.is_there(model.parent / pool)


def project_folder(db: Database, project: Project) -> Path:
    """Folder of a project's artifacts; named after the row, never after anything that came from outside."""
    return db.path.parent / "projects" / str(project.id)


def publish_model(db: Database, uid: str, working: Working, versions: Versions) -> Publication:
    """A new model, or the old one with other tasks. Raises CheckpointError for non-finite weights; the newest
    publication stays.
    """
    project, newest = _project_and_newest(db, uid)
    root, number = project_folder(db, project), _next(newest)
    snapshot = working.snapshot()
    model_path = save_model(root, number, working)
    description_path = save_description(root, f"description-{number}", snapshot, encoder=working.encoder)
    publication = _point(db, uid, (model_path, description_path), working.encoder, versions)
    first_layout(db, uid, working, publication)
    return publication


def publish_labels(db: Database, uid: str, labels_version: int) -> Publication | None:
    """A new version with the newest publication's files, because labels changed. None without a publication, or when
    its files are gone.
    """
    _, newest = _project_and_newest(db, uid)
    if newest is None or not is_there(db.path.parent, newest):
        return None
    model_path, description_path = db.path.parent / newest.model_path, db.path.parent / newest.description_path
    versions = Versions(newest.data_version, labels_version, trained=newest.trained)
    return _point(db, uid, (model_path, description_path), encoder_of(model_path), versions)


def _project_and_newest(db: Database, uid: str) -> tuple[Project, Publication | None]:
    with db.read() as session:
        project = projects.ensure(session, uid)
        return project, publications.newest(session, project)


def _next(newest: Publication | None) -> int:
    return (newest.number if newest else 0) + 1


def _point(db: Database, uid: str, files: tuple[Path, Path], encoder: str, versions: Versions) -> Publication:
    """files: of the model and of the description."""
    model_path, description_path = (str(file.relative_to(db.path.parent)) for file in files)
    with db.write() as session:
        project = projects.ensure(session, uid)
        publication = publications.add(
            session,
            project,
            model_version=_model_version(encoder, publications.next_number(session, project), versions),
            data_version=versions.data_version,
            labels_version=versions.labels_version,
            model_path=model_path,
            description_path=description_path,
            trained=versions.trained,
            now=time.time(),
        )
    sweep(db, uid)
    log.info("project %s: published %s", uid, publication.model_version)
    return publication


def _model_version(encoder: str, number: int, versions: Versions) -> str:
    """Names the encoder and counts the publications; the digest tells apart two installations that count alike."""
    made_from = f"{number}:{versions.data_version}:{versions.labels_version}:{time.time_ns()}"
    slug = re.sub(r"[^A-Za-z0-9.]+", "_", encoder)
    return f"lantern-{slug}-{number:05d}-{hashlib.sha256(made_from.encode()).hexdigest()[:8]}"


def sweep(db: Database, uid: str) -> None:
    """Forget publications beyond the newest few, and models of runs beyond those that can be brought back; remove
    folders that nothing names (left by a crash).
    """
    home = db.path.parent
    with db.write() as session:
        project = projects.ensure(session, uid)
        kept = publications.prune(session, project, KEPT_PUBLICATIONS)
        named = {Path(path).name for p in kept for path in (p.model_path, p.description_path)}
        named |= {name for p in kept if (name := pool_folder_of(home / p.model_path)) is not None}
        named |= keep_newest(session, project, home, named)
    root = project_folder(db, project)
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and folder.name not in named:
            artifacts.remove(folder)
