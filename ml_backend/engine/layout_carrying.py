"""The same map for another publication of the pool: items keep their places, drift with r, and new ones join."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.layout.drift import drift
from ml_backend.core.layout.placement import place_among
from ml_backend.core.layout.square import Places
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.layout_files import PlacedItems
from ml_backend.engine.snapshot import NO_TASK, Snapshot


def carry(items: PlacedItems, snapshot: Snapshot, then: SparseResponsibilities | None = None) -> Places:
    """Places (N, 2) of the snapshot's rows. then: what the model said of `items` when they were placed (None = not
    known any more, or the snapshot is the same): those that belong to other components by now have moved toward them.
    """
    now = snapshot.description.responsibilities
    if then is not None and same_rows(items, snapshot) and then.n_components == now.n_components:
        here = np.arange(len(items))
        items = PlacedItems(items.task_ids, drift(items.xy, then, now.take(here)))
    xy, known = known_places(items, snapshot)
    if known.all():
        return xy
    return place_among(xy, known, snapshot.description.neighbours, snapshot.description.similarities)


def same_rows(items: PlacedItems, snapshot: Snapshot) -> bool:
    """Whether the pool only grew or lost tasks since: then each row stands for what it stood for."""
    n = len(items)
    if n > len(snapshot.task_ids):
        return False
    present = snapshot.task_ids[:n]
    return bool(np.all((present == items.task_ids) | (present == NO_TASK)))


def known_places(items: PlacedItems, snapshot: Snapshot) -> tuple[Places, NDArray[np.bool_]]:
    """xy (N, 2), 0 where not known; known (N,). By row where the rows are the same, else by task."""
    n = len(snapshot.task_ids)
    xy, known = np.zeros((n, 2), np.float32), np.zeros(n, bool)
    if same_rows(items, snapshot):
        xy[: len(items)], known[: len(items)] = items.xy, True
        return xy, known
    order = np.argsort(items.task_ids, kind="stable")
    found = np.minimum(np.searchsorted(items.task_ids, snapshot.task_ids, sorter=order), max(len(items) - 1, 0))
    rows = order[found] if len(items) else found
    known = (items.task_ids[rows] == snapshot.task_ids) & (snapshot.task_ids != NO_TASK) if len(items) else known
    xy[known] = items.xy[rows[known]]
    return xy, known
