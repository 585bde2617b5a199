"""The newest publication joined with the newest annotations: what Lantern says of every task, right now.

A label changes tau and with it every score as soon as a view is made; no training is needed. A view is immutable: it is
thrown away when the publication, the labels or the label config change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.labels import LabelSet
from ml_backend.core.neighbourhood import PoolWays
from ml_backend.core.query import Ranking
from ml_backend.data.label_config import LabelSchema
from ml_backend.engine.arrivals import as_new_as_the_nearest, with_arrivals
from ml_backend.engine.pool import PoolSettings, Propagation, apply_store, combine, propagate, rank
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.engine.scored import ScoredItems
from ml_backend.engine.snapshot import NO_TASK, Snapshot


@dataclass(frozen=True)
class ProjectView:
    """Scores of all tasks of one publication under the labels of one moment.

    number, model_version: of the publication. labels_version: of the annotations. label_sets: their rows index
    `snapshot`. set_aside: tasks that somebody gave no answer to -> skip, unsure or never_seen; they leave the queue.
    """

    number: int
    model_version: str
    labels_version: int
    schema: LabelSchema
    settings: PoolSettings
    snapshot: Snapshot
    label_sets: tuple[LabelSet, ...]
    set_aside: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def task_ids(self) -> NDArray[np.int64]:
        """(n,) ids of the tasks that are scored."""
        ids: NDArray[np.int64] = self.snapshot.task_ids[self.snapshot.task_ids != NO_TASK]
        return ids

    @cached_property
    def labelled(self) -> NDArray[np.bool_]:
        """(N,) rows that have a label of any store."""
        marked = np.zeros(len(self.snapshot.task_ids), dtype=bool)
        for label_set in self.label_sets:
            marked[label_set.rows] = True
        return marked

    @cached_property
    def description(self) -> PoolDescription:
        """What the model says of every row; under these labels, of what came later."""
        level = self.settings.never_seen_level
        return with_arrivals(self.snapshot.description, self.snapshot.arrivals, self.labelled, level)

    @cached_property
    def is_set_aside(self) -> NDArray[np.bool_]:
        """(N,) rows that somebody gave no answer to, and nobody a label."""
        marked = np.zeros(len(self.snapshot.task_ids), dtype=bool)
        marked[[self.row_of[task] for task in self.set_aside if task in self.row_of]] = True
        return marked & ~self.labelled

    @cached_property
    def propagations(self) -> dict[str, Propagation]:
        """What each label store says of all rows."""
        description = self.description
        ways = PoolWays(description)  # the controls of a project are often labelled together
        return {s.name: propagate(description, s, alpha0=self.settings.alpha0, ways=ways) for s in self.label_sets}

    @cached_property
    def scored(self) -> ScoredItems:
        """All rows, scored."""
        description, propagations = self.description, self.propagations
        scores = combine(list(propagations.values()), description)
        level = self.settings.never_seen_level
        ranking = rank(
            description,
            scores,
            np.flatnonzero(self.labelled),
            self.settings.query,
            label_sets=self.label_sets,
            never_seen_level=level,
            set_aside_rows=np.flatnonzero(self.is_set_aside),
            absent_rows=np.flatnonzero(self.snapshot.task_ids == NO_TASK),
        )
        return ScoredItems(self.schema, level, description, propagations, scores, ranking, self.labelled)

    def predictions(self, task_ids: Sequence[int] | None = None) -> list[TaskPrediction]:
        """In the order asked (default: all tasks); a task that is not in the publication is missing from the answer."""
        wanted = self.task_ids.tolist() if task_ids is None else task_ids
        scored, row_of = self.scored, self.row_of
        return [scored.prediction(task_id, row_of[task_id]) for task_id in wanted if task_id in row_of]

    def predictions_of_new(self, task_ids: Sequence[int], description: PoolDescription) -> list[TaskPrediction]:
        """Of tasks outside the publication. description: their rows, with neighbours among this publication's rows."""
        known = self.scored
        description = as_new_as_the_nearest(description, self.description, len(self.snapshot.arrivals))
        propagations = {
            name: apply_store(p.store, description, p.label, rows=None) for name, p in known.propagations.items()
        }
        scores = combine(list(propagations.values()), description)
        nobody = np.empty(0, dtype=np.int64)
        level = self.settings.never_seen_level
        alone = rank(description, scores, nobody, "s_ood", label_sets=(), never_seen_level=level)
        if self.settings.query == "lantern":
            alone = Ranking(_place(known.scores.s_ood, known.ranking.value, scores.s_ood), alone.reason)
        unlabelled = np.zeros(len(description), dtype=bool)
        scored = ScoredItems(self.schema, level, description, propagations, scores, alone, unlabelled)
        return [scored.prediction(task_id, row) for row, task_id in enumerate(task_ids)]

    @cached_property
    def row_of(self) -> dict[int, int]:
        """Row of each task."""
        return {int(task): row for row, task in enumerate(self.snapshot.task_ids) if task != NO_TASK}


def _place(
    pool_s_ood: NDArray[np.float32], pool_value: NDArray[np.float32], s_ood: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Query value of new items: they join the pool's queue where its items of the same s_OOD stand."""
    order = np.argsort(pool_s_ood, kind="stable")
    return np.interp(s_ood, pool_s_ood[order], np.sort(pool_value[order])).astype(np.float32)
