"""A layout's and a frame's files: where the items of a pool stand, and, while a training runs, what they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from ml_backend.core.layout.square import Places
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.errors import CheckpointError
from ml_backend.store import artifacts, layouts, projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

KEPT_LAYOUTS = 2
"""The newest, and the one that a reader may just have looked up."""

FITS = "fits"


@dataclass(frozen=True)
class PlacedItems:
    """task_ids (N,) int64 as in the publication's snapshot, NO_TASK included; xy (N, 2) float32 within [-1, 1]."""

    task_ids: NDArray[np.int64]
    xy: Places

    def __len__(self) -> int:
        return len(self.task_ids)


@dataclass(frozen=True)
class Frame:
    """The map between two epochs. number only grows; rows are those of the publication whose description this is."""

    number: int
    description_path: str
    layout_number: int
    xy: Places
    responsibilities: SparseResponsibilities


def layout_folder(db: Database, project: Project) -> Path:
    """Folder of a project's layouts and frames, apart from its publications: each is swept by its own rules."""
    return db.path.parent / "layouts" / str(project.id)


def fits_folder(db: Database, project: Project) -> Path:
    """Where another process puts the maps that it computes."""
    return layout_folder(db, project) / FITS


def new_name(what: str) -> str:
    """A folder name that nothing else has."""
    return f"{what}-{uuid4().hex[:12]}"


def save_places(root: Path, name: str, items: PlacedItems) -> Path:
    """Write them; returns the artifact's folder."""
    tensors: dict[str, NDArray[np.generic]] = {"task_ids": items.task_ids, "xy": items.xy}
    return artifacts.publish(root, name, manifest={"kind": "layout"}, tensors=tensors)


def load_places(path: Path) -> PlacedItems:
    """Raises CheckpointError when the files are not what `save_places` wrote."""
    artifact = artifacts.load(path)
    if artifact.manifest.get("kind") != "layout":
        raise CheckpointError(f"{path} holds no layout: delete the folder, it will be made anew")
    return PlacedItems(
        artifact.tensors["task_ids"].astype(np.int64, copy=False), artifact.tensors["xy"].astype(np.float32, copy=False)
    )


def save_frame(
    root: Path, name: str, xy: Places, r: SparseResponsibilities, *, description_path: str, layout_number: int
) -> Path:
    """Write one frame; returns the artifact's folder."""
    manifest = {
        "kind": "frame",
        "description_path": description_path,
        "layout": layout_number,
        "n_components": r.n_components,
        "temperature": r.temperature,
    }
    tensors: dict[str, NDArray[np.generic]] = {
        "xy": xy,
        "indices": r.indices,
        "log_r": r.log_r,
        "log_z_soft": r.log_z_soft,
    }
    return artifacts.publish(root, name, manifest=manifest, tensors=tensors)


def load_frame(path: Path, number: int) -> Frame:
    """Raises CheckpointError when the files are not what `save_frame` wrote."""
    artifact = artifacts.load(path)
    manifest, tensors = artifact.manifest, artifact.tensors
    if manifest.get("kind") != "frame":
        raise CheckpointError(f"{path} holds no frame")
    responsibilities = SparseResponsibilities(
        indices=tensors["indices"],
        log_r=tensors["log_r"],
        log_z_soft=tensors["log_z_soft"],
        n_components=int(manifest["n_components"]),
        temperature=float(manifest["temperature"]),
    )
    return Frame(number, str(manifest["description_path"]), int(manifest["layout"]), tensors["xy"], responsibilities)


def sweep(db: Database, uid: str, keep: frozenset[str] = frozenset()) -> None:
    """Forget layouts beyond the newest few, and remove folders that no row and no name in `keep` names.

    What is being computed lies apart (`fits_folder`) and is not touched.
    """
    with db.write() as session:
        project = projects.ensure(session, uid)
        layouts.prune(session, project, KEPT_LAYOUTS)
        named = _names(session, project)
    _remove_all_but(named | keep | {FITS}, layout_folder(db, project))


def sweep_fits(db: Database, uid: str) -> None:
    """Remove computed maps that no row names. Call it only while none is being computed."""
    with db.read() as session:
        project = projects.ensure(session, uid)
        named = _names(session, project)
    _remove_all_but(named, fits_folder(db, project))


def _names(session: Session, project: Project) -> frozenset[str]:
    return frozenset(Path(path).name for path in layouts.named_paths(session, project))


def _remove_all_but(named: frozenset[str], root: Path) -> None:
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and folder.name not in named and not folder.name.startswith("."):
            artifacts.remove(folder)
