"""Orders of the map: the items most likely of a class, and the queue of what to label first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.query import Reason
from ml_backend.engine.map_columns import NO_CLASS, MapColumns
from ml_backend.engine.propagation import probability_of
from ml_backend.engine.view import ProjectView
from ml_backend.errors import InputError

Rows = NDArray[np.int64]


def class_probability(columns: MapColumns, name: str) -> NDArray[np.float32]:
    """(N,) calibrated p of one class of the control. Raises InputError for one that it does not have."""
    spread = columns.propagation
    if spread is None or name not in spread.classes:
        raise InputError(f"the control has no class {name[:80]!r}")
    position = spread.classes.index(name)
    return probability_of(spread.store, columns.view.description, position)


def ranked(columns: MapColumns, p: NDArray[np.float32], limit: int, *, unlabelled: bool) -> Rows:
    """Rows of tasks by p, highest first. unlabelled: without those that a person has answered or set aside."""
    open_rows = ~columns.absent
    if unlabelled:
        open_rows &= (columns.human == NO_CLASS) & ~columns.view.is_set_aside
    return first(p, open_rows, limit)


def queue(view: ProjectView, limit: int) -> list[dict[str, object]]:
    """What to label first, with the reason in words and the score that Label Studio sorts by: LOW = first."""
    ranking = view.scored.ranking
    open_rows = ~view.labelled & ~view.is_set_aside & (view.snapshot.task_ids >= 0)
    return [
        {
            "row": int(row),
            "task": int(view.snapshot.task_ids[row]),
            "reason": Reason(int(ranking.reason[row])).sentence,
            "score": float(np.clip(1.0 - ranking.value[row], 0.0, 1.0)),
        }
        for row in first(ranking.value, open_rows, limit)
    ]


def first(values: NDArray[np.float32], allowed: NDArray[np.bool_], limit: int) -> Rows:
    """The rows with the largest values among the allowed ones, largest first, ties by row; without sorting all."""
    rows = np.flatnonzero(allowed)
    if len(rows) > limit:
        edge = np.partition(values[rows], len(rows) - limit)[len(rows) - limit]
        rows = rows[values[rows] >= edge]
    return np.asarray(rows[np.argsort(-values[rows], kind="stable")][:limit], np.int64)
