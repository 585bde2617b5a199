"""The mixture's components as a person looks at them: how much they hold, what they mean, what is typical of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import as_matrix
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.data.task_text import text_of
from ml_backend.data.terms import Term, distinctive_terms
from ml_backend.engine.map_columns import MapColumns
from ml_backend.engine.scored import MIN_REACH
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.errors import InputError
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database

Json = dict[str, object]

TYPICAL = 24
"""Rows shown of a component."""
NEIGHBOURS = 6
CLASSES = 10
"""Largest entries of tau that are shown."""
TEXTS_HERE, TEXTS_BESIDE = 400, 100
"""Texts read of a component and of each of its neighbours, the most typical ones."""
TEXTS_ELSEWHERE = 400
"""Texts read from all over the pool: where all neighbours speak of the same, that is worth telling too."""
LEAST_COUNT = 0.05
"""Soft count of labels from which on a component's own labels say what it means."""


@dataclass(frozen=True)
class ComponentViews:
    """All components under one control; rows are those of the columns."""

    columns: MapColumns

    def listed(self) -> list[Json]:
        """Components that are the first choice of an item, largest mass first.

        mass: share of the pool, 0..1. items: whose first choice it is; labelled: those of them with a person's label.
        label: what is named for it, None where no label reaches it.
        """
        labelled = np.bincount(self._home[self._is_labelled], minlength=self._n)
        order = np.argsort(-self._mass, kind="stable")
        return [
            {
                "c": int(c),
                "mass": float(self._mass[c]),
                "items": int(self._items[c]),
                "label": self._label(int(c)),
                "labelled": int(labelled[c]),
            }
            for c in order
            if self._items[c]
        ]

    def details(self, component: int) -> Json:
        """One component. tau: the largest p(class|c) as labels have it. sigma_mean: of its items, > 0, in units of the
        model's input. Raises InputError for a number outside 0..K-1.
        """
        self.check(component)
        spread = self.columns.propagation
        tau: list[list[object]] = []
        if spread is not None:
            row = spread.store.tau[component]
            best = np.argsort(-row, kind="stable")[:CLASSES]
            tau = [[spread.classes[y], float(row[y])] for y in best]
        share = membership(self._responsibilities, component) * self._live
        total = float(share.sum())
        aleatoric = self.columns.view.description.aleatoric
        return {
            "c": component,
            "mass": float(self._mass[component]),
            "tau": tau,
            "typical": self.typical(component, TYPICAL).tolist(),
            "neighbours": self.neighbours(component),
            "sigma_mean": float(share @ aleatoric / total) if total > 0 else None,
        }

    def typical(self, component: int, most: int) -> NDArray[np.int64]:
        """At most so many rows: those that belong to the component and lie where the pool is dense, most typical
        first.
        """
        density = self.columns.view.description.density
        score = membership(self._responsibilities, component) * self._live * density
        rows = np.flatnonzero((self._home == component) & self._live)
        return np.asarray(rows[np.argsort(-score[rows], kind="stable")][:most])

    def neighbours(self, component: int) -> list[int]:
        """At most NEIGHBOURS other components with items, those first whose labels speak most for this one."""
        affinity = self.columns.view.description.component_graph.affinity[component].copy()
        affinity[component] = 0.0
        affinity[self._items == 0] = 0.0
        order = np.argsort(-affinity, kind="stable")[:NEIGHBOURS]
        return [int(c) for c in order if affinity[c] > 0]

    def terms(self, db: Database, uid: str, component: int) -> tuple[Term, ...]:
        """What sets its texts apart from those of its neighbours and of the pool; nothing where tasks have no text."""
        here = self._texts(db, uid, self.typical(component, TEXTS_HERE))
        if not here:
            return ()
        others = np.flatnonzero((self._home != component) & self._live)
        spread = others[np.linspace(0, len(others) - 1, min(len(others), TEXTS_ELSEWHERE)).astype(np.int64)]
        beside = [self.typical(c, TEXTS_BESIDE) for c in self.neighbours(component)]
        return distinctive_terms(here, self._texts(db, uid, np.unique(np.concatenate([spread, *beside]))))

    def check(self, component: int) -> None:
        """Raises InputError for a number outside 0..K-1."""
        if not 0 <= component < self._n:
            raise InputError(f"there is no component {component}: they are 0 to {self._n - 1}")

    def _texts(self, db: Database, uid: str, rows: NDArray[np.int64]) -> list[str]:
        view = self.columns.view
        with db.read() as session:
            project = projects.ensure(session, uid)
            found = tasks.by_ids(session, project, view.snapshot.task_ids[rows].tolist())
        return [text for task in found if not task.deleted and (text := text_of(view.schema, task.data))]

    def _label(self, component: int) -> str | None:
        spread = self.columns.propagation
        if spread is None:
            return None
        store = spread.store
        if store.s[component].sum() < LEAST_COUNT and store.reach[component] < MIN_REACH:
            return None
        return store.classes[int(store.tau_named[component].argmax())]

    @property
    def _responsibilities(self) -> SparseResponsibilities:
        return self.columns.view.description.responsibilities

    @property
    def _n(self) -> int:
        return self._responsibilities.n_components

    @cached_property
    def _live(self) -> NDArray[np.bool_]:
        return np.asarray(self.columns.view.snapshot.task_ids != NO_TASK)

    @cached_property
    def _home(self) -> NDArray[np.int64]:
        """(N,) each item's first choice."""
        r = self._responsibilities
        best = r.log_r.argmax(axis=1)[:, None]
        return np.take_along_axis(r.indices, best, axis=1)[:, 0].astype(np.int64)

    @cached_property
    def _items(self) -> NDArray[np.int64]:
        return np.bincount(self._home[self._live], minlength=self._n)

    @cached_property
    def _mass(self) -> NDArray[np.float64]:
        live = np.flatnonzero(self._live)
        total = np.asarray(as_matrix(self._responsibilities.take(live)).sum(axis=0), np.float64).ravel()
        return total / max(len(live), 1)

    @property
    def _is_labelled(self) -> NDArray[np.bool_]:
        marked = np.zeros(len(self._live), bool)
        if self.columns.labels is not None:
            marked[self.columns.labels.rows] = True
        return marked & self._live


def membership(r: SparseResponsibilities, component: int) -> NDArray[np.float32]:
    """(N,) r of one component, 0 where it is not among an item's listed ones."""
    return np.asarray(np.where(r.indices == component, r.values, 0.0).sum(axis=1), np.float32)
