"""A publication's files: the pool's matrix, the model's weights, and what the model says of every task."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.head_answers import HeadAnswers
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.errors import CheckpointError
from ml_backend.store import artifacts

NO_TASK = -1
"""In `task_ids`: a row whose task was deleted or has changed since; it stays until the pool is made anew."""

HEAD_ARRAYS = ("indices", "values", "rows", "targets")
"""What is kept of `HeadAnswers`, in the order of its fields."""

Tensors = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class PoolMatrix:
    """Encoded items: task_ids (N,) int64 (or NO_TASK), x (N, ...) as the encoder gave it, made from tasks up to
    data_version.
    """

    task_ids: NDArray[np.int64]
    x: NDArray[np.generic]
    data_version: int

    def __len__(self) -> int:
        return len(self.task_ids)

    def without_retired(self) -> PoolMatrix:
        """Only the rows that still stand for a task."""
        alive = self.task_ids != NO_TASK
        return self if alive.all() else PoolMatrix(self.task_ids[alive], self.x[alive], self.data_version)


@dataclass(frozen=True)
class Snapshot:
    """What one publication says of every row of its pool. arrivals: (A,) float32, novelty of the last A rows, which
    came later (`Arrivals`).
    """

    task_ids: NDArray[np.int64]
    description: PoolDescription
    arrivals: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    @cached_property
    def rows_version(self) -> str:
        """Hash of the task ids: while it is the same, a row number means the same task."""
        return hashlib.sha256(self.task_ids.tobytes()).hexdigest()[:16]


def save_pool(root: Path, name: str, pool: PoolMatrix) -> Path:
    """Write the matrix; returns the artifact's folder."""
    manifest = {"kind": "pool", "data_version": pool.data_version}
    return artifacts.publish(root, name, manifest=manifest, tensors={"task_ids": pool.task_ids, "x": pool.x})


def load_pool(path: Path) -> PoolMatrix:
    """Raises CheckpointError when the files are not what `save_pool` wrote."""
    artifact = artifacts.load(path)
    _expect(artifact.manifest, "pool", path)
    return PoolMatrix(
        task_ids=artifact.tensors["task_ids"].astype(np.int64, copy=False),
        x=artifact.tensors["x"],
        data_version=int(artifact.manifest["data_version"]),
    )


def save_description(root: Path, name: str, snapshot: Snapshot, *, encoder: str) -> Path:
    """Write what the model says of the pool; returns the artifact's folder."""
    d, r = snapshot.description, snapshot.description.responsibilities
    manifest = {
        "kind": "description",
        "encoder": encoder,
        "n_components": r.n_components,
        "temperature": r.temperature,
        "heads": [[name, list(answers.classes)] for name, answers in d.heads.items()],
    }
    tensors: Tensors = {
        "task_ids": snapshot.task_ids,
        "indices": r.indices,
        "log_r": r.log_r,
        "log_z_soft": r.log_z_soft,
        "neighbours": d.neighbours,
        "similarities": d.similarities,
        "density": d.density,
        "novelty": d.novelty,
        "aleatoric": d.aleatoric,
    }
    if d.component_cosines is not None:
        tensors["component_cosines"] = d.component_cosines
    if d.copies is not None:
        tensors["copies"] = d.copies
    if d.directions is not None:
        tensors["directions"] = d.directions
    if len(snapshot.arrivals):
        tensors["arrivals"] = snapshot.arrivals
    for place, answers in enumerate(d.heads.values()):
        own = {name: getattr(answers, name) for name in HEAD_ARRAYS}
        tensors |= {f"head.{place}.{key}": value for key, value in own.items()}
    return artifacts.publish(root, name, manifest=manifest, tensors=tensors)


def load_description(path: Path) -> Snapshot:
    """Raises CheckpointError when the files are not what `save_description` wrote."""
    artifact = artifacts.load(path)
    _expect(artifact.manifest, "description", path)
    t = artifact.tensors
    responsibilities = SparseResponsibilities(
        indices=t["indices"],
        log_r=t["log_r"],
        log_z_soft=t["log_z_soft"],
        n_components=int(artifact.manifest["n_components"]),
        temperature=float(artifact.manifest["temperature"]),
    )
    description = PoolDescription(
        responsibilities=responsibilities,
        neighbours=t["neighbours"],
        similarities=t["similarities"],
        density=t["density"],
        novelty=t["novelty"],
        aleatoric=t["aleatoric"],
        component_cosines=t.get("component_cosines"),  # None: of a version that kept none, until the next publication
        copies=t.get("copies"),  # the same
        directions=t.get("directions"),  # the same
        heads={
            name: HeadAnswers(tuple(classes), *(t[f"head.{place}.{array}"] for array in HEAD_ARRAYS))
            for place, (name, classes) in enumerate(artifact.manifest.get("heads", ()))
            if f"head.{place}.targets" in t  # not of a version that did not keep them: the next training fits it anew
        },
    )
    arrivals = t.get("arrivals", np.empty(0, np.float32))
    return Snapshot(t["task_ids"].astype(np.int64, copy=False), description, arrivals)


def _expect(manifest: Mapping[str, object], kind: str, path: Path) -> None:
    if manifest.get("kind") != kind:
        raise CheckpointError(
            f"{path} holds {manifest.get('kind')!r}, not {kind!r}: delete the folder, it will be made anew"
        )
