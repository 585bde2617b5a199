"""Computes one map from a publication's files. Runs in a process of its own (`layout_process.py`)."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.layout.alignment import align
from ml_backend.core.layout.blend import blend
from ml_backend.core.layout.placement import place_among
from ml_backend.core.layout.plane import principal_plane
from ml_backend.core.layout.square import Places, fill_square, into_square
from ml_backend.data.index import neighbours
from ml_backend.engine.checkpoint import load_model
from ml_backend.engine.layout_carrying import carry, same_rows
from ml_backend.engine.layout_files import PlacedItems, load_places, save_places
from ml_backend.engine.layout_job import LayoutJob
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.engine.snapshot import Snapshot, load_description
from ml_backend.errors import CheckpointError
from ml_backend.store.layouts import Kind

log = logging.getLogger(__name__)

MOST_FITTED = 100_000
"""Larger pools: so many items are laid out, the others stand by their neighbours among them."""
NEIGHBOURS = 10
"""Pairs that are drawn together, an item; PaCMAP's own choice."""


def fit(job: LayoutJob) -> None:
    """Compute the map and write its artifact. Raises CheckpointError when the publication's files are gone."""
    features = _features(Path(job.model_path))
    snapshot = load_description(Path(job.description_path))
    if len(features) != len(snapshot.task_ids):
        raise CheckpointError("the publication's model and description have different rows")
    plane, previous = principal_plane(features), _previous(job)
    before = None if previous is None else carry(previous, snapshot)
    if job.kind == Kind.PCA:
        xy = plane
    else:
        # A pool that only was trained has the features that it had: from the same start comes nearly the same map.
        # One that was made anew has others, and the map before is what it shares with them.
        anew = previous is not None and not same_rows(previous, snapshot)
        xy = better_map(features, snapshot, before if before is not None and anew else plane, seed=job.seed)
    if before is not None:
        xy = into_square(align(xy, before)(xy))
    save_places(Path(job.root), job.name, PlacedItems(snapshot.task_ids, xy))


def better_map(features: NDArray[np.float32], snapshot: Snapshot, start: Places, *, seed: int) -> Places:
    """PaCMAP's map (N, 2) of what the model sees. features: (N, F) unit rows. start: (N, 2), where the items begin."""
    n, description = len(features), snapshot.description
    if n <= MOST_FITTED:
        return fill_square(pacmap_of(blend(features, description.responsibilities), start, seed=seed))
    rows = np.sort(np.random.default_rng(seed).choice(n, MOST_FITTED, replace=False))
    blended = blend(features[rows], description.responsibilities.take(rows))
    xy, known = np.zeros((n, 2), np.float32), np.zeros(n, bool)
    xy[rows], known[rows] = fill_square(pacmap_of(blended, start[rows], seed=seed)), True
    return place_among(xy, known, description.neighbours, description.similarities)


def pacmap_of(rows: NDArray[np.float32], start: Places, *, seed: int) -> NDArray[np.float32]:
    """(N, 2) in PaCMAP's own units. rows: (N, F) unit. The neighbours are ours: duplicates are no trouble to them."""
    # Imported here: it compiles for seconds, and needs memory that nothing else in the product does.
    from pacmap import PaCMAP

    # It warns of the seed, and of the neighbours, that it is given.
    logging.getLogger("pacmap").setLevel(logging.ERROR)
    n = len(rows)
    k = min(NEIGHBOURS, n - 1)
    near, _ = neighbours(rows, k)
    near = np.where(near < 0, near[:, :1], near)
    pairs = np.stack([np.repeat(np.arange(n, dtype=np.int32), k), near.ravel()], axis=1)
    reducer = PaCMAP(n_neighbors=k, pair_neighbors=np.ascontiguousarray(pairs), apply_pca=False, random_state=seed)
    return np.asarray(reducer.fit_transform(rows, init=start), np.float32)


def _features(path: Path) -> NDArray[np.float32]:
    pool = load_model(path, PoolSettings(device="cpu")).pool
    return pool.model.features(pool.x)


def _previous(job: LayoutJob) -> PlacedItems | None:
    """None when there is no map yet, or its files are damaged."""
    if job.previous is None:
        return None
    try:
        return load_places(Path(job.previous))
    except CheckpointError as error:
        log.warning("the map before cannot be read, the new one starts afresh: %s", error)
        return None
