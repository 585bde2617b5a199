"""Predictions that a person may take over as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml_backend.engine.scored import is_reached
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.engine.view import ProjectView
from ml_backend.errors import InputError


def acceptable(
    view: ProjectView, store: str, *, component: int | None, tasks: Sequence[int] | None, min_confidence: float
) -> dict[int, str]:
    """Task -> the class that Lantern names, by row. Only of tasks that nobody has answered or set aside, that are like
    something seen before, and with a confidence (0..1) of at least min_confidence.

    store: a label set's name. component: of those that belong to it most; tasks: of these only; None = no such limit.
    Raises InputError for an unknown label set.
    """
    spread = view.propagations.get(store)
    labels = next((one for one in view.label_sets if one.name == store), None)
    if spread is None or labels is None:
        raise InputError(f"the label config has no control {store[:80]!r}: reload the map")
    description = view.description
    chosen = is_reached(spread) & (spread.confidence >= min_confidence) & (view.snapshot.task_ids != NO_TASK)
    chosen &= (description.novelty > view.settings.never_seen_level) & ~view.is_set_aside
    chosen[labels.rows] = False
    if component is not None:
        r = description.responsibilities
        best = r.log_r.argmax(axis=1)
        chosen &= r.indices[np.arange(len(best)), best] == component
    if tasks is not None:
        chosen &= np.isin(view.snapshot.task_ids, np.asarray(tasks, dtype=np.int64))
    rows = np.flatnonzero(chosen)
    return {int(view.snapshot.task_ids[row]): spread.classes[spread.label[row]] for row in rows}
