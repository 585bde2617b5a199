"""What is kept on disk of earlier runs: models that can be brought back, and what the last run changed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from ml_backend.engine.checkpoint import pool_folder_of
from ml_backend.errors import CheckpointError
from ml_backend.store import runs
from ml_backend.store.tables import Project

KEPT_RUNS = 10
"""The newest runs, whatever came of them: which one was best is for the person who compares them to say."""
KEPT_BYTES = 2 * 2**30
"""Of a project's models and matrices that only earlier runs need; the newest run is kept whatever its size."""


def keep_newest(session: Session, project: Project, home: Path, held: set[str]) -> set[str]:
    """Names of the folders that earlier runs need; models beyond the limits are given up in the database.

    held: names of folders that are kept anyway.
    """
    measured = runs.newest_measured(session, project)
    kept = {changes_folder(measured.id)} if measured is not None else set()
    spent = 0
    for place, run in enumerate(runs.restorable(session, project)):
        folders = _folders(home / str(run.model_path))
        new = {name: path for name, path in folders.items() if name not in held | kept}
        spent += sum(_size(path) for path in new.values())
        if not folders or place >= KEPT_RUNS or (place and spent > KEPT_BYTES):
            runs.forget_model(session, run)
        else:
            kept |= set(folders)
    return kept


def changes_folder(run_id: int) -> str:
    """Name of the artifact that holds which tasks a run changed."""
    return f"changes-{run_id}"


def _folders(model: Path) -> dict[str, Path]:
    """By name: the model's folder and that of the matrix its rows stand for; nothing when either is not whole."""
    try:
        pool = pool_folder_of(model)
    except CheckpointError:
        return {}
    folders = {model.name: model, pool: model.parent / pool} if pool else {}
    return folders if all(path.is_dir() for path in folders.values()) else {}


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
