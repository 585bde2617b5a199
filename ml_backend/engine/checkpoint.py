"""A project's model on disk: weights and neighbours, bound to the pool's matrix that its rows stand for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ml_backend.engine.arrivals import Arrivals
from ml_backend.engine.pool import Pool, PoolSettings
from ml_backend.engine.snapshot import NO_TASK, PoolMatrix, Snapshot, load_pool, save_pool
from ml_backend.errors import CheckpointError, CheckpointMissing
from ml_backend.store import artifacts

MOST_STRANGE = 0.1
"""Share of a pool. Where more of it is unlike what it was made of, it was made of too little: all is its own then."""


@dataclass
class Working:
    """A pool with the tasks that its rows stand for.

    pool_folder, model_folder: where the matrix and the model of the newest publication made of it lie on disk, None =
    not saved. arrivals: rows that came later, None = none.
    """

    matrix: PoolMatrix
    pool: Pool
    encoder: str
    pool_folder: str | None = None
    model_folder: str | None = None
    arrivals: Arrivals | None = None

    def row_of(self) -> dict[int, int]:
        """Row of each task."""
        return {int(task): row for row, task in enumerate(self.matrix.task_ids) if task != NO_TASK}

    def same_rows(self, matrix: PoolMatrix) -> bool:
        """Whether nothing in the pool has changed: no task is new, gone or different."""
        return np.array_equal(self.matrix.task_ids, matrix.task_ids)

    def take(self, matrix: PoolMatrix) -> None:
        """Go over to a matrix that begins with the present rows: what is new joins the pool, what is gone loses its
        task.
        """
        x_new = matrix.x[len(self.matrix) :]
        if len(x_new):
            arrivals = (self.arrivals or Arrivals.none_yet(self.pool)).with_new(self.pool, x_new)
            self.pool.extend(x_new)
            few = arrivals.strange(self.pool.settings.never_seen_level) <= MOST_STRANGE * len(self.pool)
            self.arrivals = arrivals if few else None
        self.matrix = replace(matrix, x=self.pool.x)
        self.pool_folder = None

    def trained(self) -> None:
        """Of pictures a training has learned the space itself: distances from before mean nothing in it."""
        if self.pool.model.config.is_image:
            self.arrivals = None

    def snapshot(self) -> Snapshot:
        """What the present model says of every row."""
        novelty = self.arrivals.novelty if self.arrivals else np.empty(0, np.float32)
        return Snapshot(self.matrix.task_ids, self.pool.describe(), novelty)


def save_model(root: Path, number: int, working: Working) -> Path:
    """Writes the matrix if it is new, then the model; returns the model's folder."""
    if working.pool_folder is None:
        working.pool_folder = save_pool(root, f"pool-{number}", working.matrix).name
    model = working.pool.model
    manifest = {
        "kind": "model",
        "pool": working.pool_folder,
        "encoder": working.encoder,
        "epochs_done": model.epochs_done,
        "prior": model.config.prior,
        "latent_dim": model.config.latent_dim,
        "is_image": model.config.is_image,
    }
    tensors = working.pool.state() | (working.arrivals.tensors() if working.arrivals else {})
    path = artifacts.publish(root, f"model-{number}", manifest=manifest, tensors=tensors)
    working.model_folder = path.name
    return path


def load_model(path: Path, settings: PoolSettings) -> Working:
    """Raises CheckpointError when the files are incomplete, altered or not finite."""
    artifact = artifacts.load(path)
    folder, encoder = artifact.manifest.get("pool"), artifact.manifest.get("encoder")
    if artifact.manifest.get("kind") != "model" or not isinstance(folder, str) or not isinstance(encoder, str):
        raise CheckpointError(f"{path} holds no model: delete the folder, it will be made anew")
    matrix = load_pool(path.parent / Path(folder).name)
    pool = Pool.restore(matrix.x, settings, artifact.tensors)
    arrivals = Arrivals.restore(artifact.tensors, len(matrix))
    return Working(matrix, pool, encoder, Path(folder).name, path.name, arrivals)


def pool_folder_of(path: Path) -> str | None:
    """Name of the matrix's folder that the model in this folder is bound to; None where there is no model.

    Raises CheckpointError when the folder is damaged.
    """
    try:
        folder = artifacts.read_manifest(path).get("pool")
    except CheckpointMissing:
        return None
    return folder if isinstance(folder, str) else None


def encoder_of(path: Path) -> str:
    """What the tasks of the model in this folder were read by. Raises CheckpointError when the folder is damaged."""
    return str(artifacts.read_manifest(path).get("encoder"))
