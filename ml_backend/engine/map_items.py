"""Cards: what the map shows of single items when a person points at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.query import Reason
from ml_backend.data.label_config import LabelSchema
from ml_backend.data.task_text import ItemKind, image_address, kind_of, text_of
from ml_backend.engine.map_columns import NO_CLASS, MapColumns
from ml_backend.engine.map_words import words_of
from ml_backend.engine.propagation import probabilities
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.engine.view import ProjectView
from ml_backend.errors import InputError
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database

SHOWN_CHARACTERS = 300
TOP = 3
MOST_CARDS = 200

Json = dict[str, object]


@dataclass(frozen=True)
class _Told:
    """What the store says of one task."""

    kind: ItemKind
    text: str
    pictured: bool
    annotators: tuple[str, ...]


_NOTHING = _Told("vector", "", False, ())


class MapItems:
    """Cards of one view under one control; made for one request."""

    def __init__(self, db: Database, uid: str, view: ProjectView, columns: MapColumns) -> None:
        self._db = db
        self._uid = uid
        self._view = view
        self._columns = columns

    def cards(self, rows: Sequence[int]) -> list[Json]:
        """In the order asked. Raises InputError for a row outside the pool, or too many."""
        self._check(rows)
        wanted = np.asarray(rows, np.int64)
        told, p = self._told(wanted), self._probabilities(wanted)
        return [self._card(int(row), told, p[place]) for place, row in enumerate(wanted)]

    def card(self, row: int) -> Json:
        """One card, with the scores in words and the nearest labelled example."""
        self._check([row])
        made = self.cards([row])[0]
        return {**made, "words": self._words(row), "nearest_labelled": self._nearest(row)}

    def _check(self, rows: Sequence[int]) -> None:
        n = len(self._columns)
        if len(rows) > MOST_CARDS:
            raise InputError(f"at most {MOST_CARDS} rows at a time, not {len(rows)}")
        if any(not 0 <= row < n for row in rows):
            raise InputError(f"there are rows 0 to {n - 1} only: the map has moved on, read the state again")

    def _card(self, row: int, told: dict[int, _Told], p: NDArray[np.float32]) -> Json:
        of = told.get(row, _NOTHING)
        task = int(self._view.snapshot.task_ids[row])
        best = np.argsort(-p, kind="stable")[:TOP]
        scored = self._view.scored
        return {
            "row": row,
            "task": 0 if task == NO_TASK else task,
            "kind": of.kind,
            "text": of.text[:SHOWN_CHARACTERS],
            "thumbnail": of.pictured,
            "label": self._class_name(int(self._columns.human[row])),
            "annotators": list(of.annotators),
            "predicted": self._predicted(row),
            "top": [[self._classes[i], round(float(p[i]), 4)] for i in best] if self._says(row) else [],
            **self._scores(row),
            "component": int(self._columns.component[row]),
            "reason": Reason(int(scored.ranking.reason[row])).sentence,
        }

    def _scores(self, row: int) -> dict[str, float]:
        spread, description = self._columns.propagation, self._view.description
        found = {
            "confidence": 0.0 if spread is None else float(spread.confidence[row]),
            "s_ood": 1.0 if spread is None else float(spread.s_ood[row]),
            "novelty": 1.0 - float(description.novelty[row]),
            "aleatoric": float(self._columns.noise[row]),
            "disagreement": float(self._columns.disagreement[row]),
        }
        return {name: round(float(np.clip(value, 0.0, 1.0)), 4) for name, value in found.items()}

    def _words(self, row: int) -> list[str]:
        spread = self._columns.propagation
        evidence = 0.0 if spread is None else float(spread.evidence[row])
        return words_of(predicted=self._predicted(row) is not None, evidence=evidence, **self._scores(row))

    def _nearest(self, row: int) -> Json | None:
        spread = self._columns.propagation
        near = -1 if spread is None else int(spread.nearest_labelled[row])
        if near < 0:
            return None
        description = self._view.description
        place = np.flatnonzero(description.neighbours[row] == near)
        of = self._told(np.array([near])).get(near, _NOTHING)
        task = int(self._view.snapshot.task_ids[near])
        return {
            "row": near,
            "task": 0 if task == NO_TASK else task,
            "label": self._class_name(int(self._columns.human[near])),
            "similarity": round(float(description.similarities[row, place[0]]), 4) if len(place) else None,
            "text": of.text[:SHOWN_CHARACTERS],
        }

    def _predicted(self, row: int) -> str | None:
        spread = self._columns.propagation
        return self._classes[int(spread.label[row])] if spread is not None and self._says(row) else None

    def _says(self, row: int) -> bool:
        """Whether anything is predicted of the item."""
        return bool(self._columns.reached[row] and not self._columns.never_seen[row])

    def _class_name(self, position: int) -> str | None:
        return None if position == NO_CLASS else self._classes[position]

    def _probabilities(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        spread = self._columns.propagation
        if spread is None:
            return np.zeros((len(rows), 0), np.float32)
        return probabilities(spread.store, self._view.description.take(rows), rows)

    def _told(self, rows: NDArray[np.int64]) -> dict[int, _Told]:
        """By row; rows without a task are missing."""
        ids = {int(self._view.snapshot.task_ids[row]): int(row) for row in rows}
        ids.pop(NO_TASK, None)
        with self._db.read() as session:
            project = projects.ensure(session, self._uid)
            found = tasks.by_ids(session, project, ids)
            people = annotation_rows.annotators(session, project, ids)
        schema = self._view.schema
        return {
            ids[task.task_id]: _Told(
                kind_of(schema, task.data),
                text_of(schema, task.data),
                image_address(schema, task.data) is not None,
                tuple(people.get(task.task_id, ())),
            )
            for task in found
        }

    @property
    def _classes(self) -> tuple[str, ...]:
        return self._columns.labels.classes if self._columns.labels is not None else ()


def task_kind(schema: LabelSchema, source_kind: str | None) -> str:
    """Kind of a project's tasks for the state: text, image, vector or mixed. source_kind: of what the model reads."""
    kinds = {"text" if i.kind == "html" else i.kind for i in schema.inputs}
    if not kinds:
        return source_kind or "vector"
    return kinds.pop() if len(kinds) == 1 else "mixed"
