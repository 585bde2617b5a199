"""What the map shows of every row, one array a column: a view in numbers, without a loop over its rows.

A row is an item of the newest publication's pool, rows without a task included. A control here is a label store: the
name of a single-choice or taxonomy control, or "control/choice" of a multiple one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet, disagreement
from ml_backend.engine.propagation import Propagation
from ml_backend.engine.scored import is_reached
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.engine.view import ProjectView
from ml_backend.errors import InputError

NO_CLASS = 65_535
"""In the column `class`: nothing is named."""

Array = NDArray[np.generic]


class Status(IntEnum):
    """Column `status`."""

    NOTHING = 0
    PROPAGATED = 1
    HUMAN = 2
    NEVER_SEEN = 3
    SET_ASIDE = 4
    ABSENT = 5


class MapColumns:
    """All columns of one view for one control. Arrays are made when they are asked for."""

    def __init__(self, view: ProjectView, control: str | None = None) -> None:
        """control: None = the first. Raises InputError for one that the label config does not have."""
        self.view = view
        self.labels = label_set_of(view, control)

    def __len__(self) -> int:
        return len(self.view.snapshot.task_ids)

    def column(self, name: str) -> Array:
        """(N,) values in the type that travels. Raises InputError for an unknown name."""
        make = COLUMNS.get(name)
        if make is None:
            raise InputError(f"there is no column {name[:40]!r}")
        return make(self)

    @cached_property
    def human(self) -> NDArray[np.uint16]:
        """(N,) the class that people gave most often, NO_CLASS where nobody answered."""
        given = np.full(len(self), NO_CLASS, np.uint16)
        if self.labels is not None and len(self.labels.rows):
            given[self.labels.rows] = self.labels.targets.argmax(axis=1)
        return given

    @cached_property
    def never_seen(self) -> NDArray[np.bool_]:
        """(N,) Lantern abstains."""
        strange = self.view.description.novelty <= self.view.settings.never_seen_level
        return np.asarray(strange & ~self.view.labelled)

    @cached_property
    def named(self) -> NDArray[np.uint16]:
        """(N,) the class that a person gave, else the one that Lantern predicts, else NO_CLASS."""
        spread = self.propagation
        result = self.human.copy()
        if spread is not None:
            predicted = (result == NO_CLASS) & self.reached & ~self.never_seen & ~self.absent
            result[predicted] = spread.label[predicted]
        return result

    @cached_property
    def status(self) -> NDArray[np.uint8]:
        """(N,) `Status`; a person's label outweighs all but a deleted task."""
        result = np.full(len(self), Status.NOTHING, np.uint8)
        result[self.named != NO_CLASS] = Status.PROPAGATED
        result[self.never_seen] = Status.NEVER_SEEN
        result[self.view.is_set_aside] = Status.SET_ASIDE
        result[self.human != NO_CLASS] = Status.HUMAN
        result[self.absent] = Status.ABSENT
        return result

    @cached_property
    def disagreement(self) -> NDArray[np.float32]:
        """(N,) in [0, 1], HIGH = look again: annotators who differ, neighbours of another class, or labels that
        contradict the one given here.
        """
        if self.labels is None or self.propagation is None:
            return np.zeros(len(self), np.float32)
        result = self.propagation.clash.astype(np.float32, copy=True)
        rows, store = self.labels.rows, self.propagation.store
        nothing_known = 1.0 - 1.0 / len(store.classes)
        contradicted = np.clip((store.suspicion - nothing_known) * len(store.classes), 0.0, 1.0)
        split = disagreement(self.labels.targets)
        result[rows] = np.maximum(result[rows], np.maximum(split, contradicted))
        return result

    @cached_property
    def component(self) -> NDArray[np.uint32]:
        """(N,) the component that each item belongs to most."""
        r = self.view.description.responsibilities
        best = r.log_r.argmax(axis=1)[:, None]
        return np.take_along_axis(r.indices, best, axis=1)[:, 0].astype(np.uint32)

    @cached_property
    def noise(self) -> NDArray[np.float32]:
        """(N,) rank of the mean decoder sigma, 0..1."""
        return ranks(self.view.description.aleatoric)

    @cached_property
    def reached(self) -> NDArray[np.bool_]:
        """(N,) whether a class may be named at all."""
        return np.zeros(len(self), bool) if self.propagation is None else is_reached(self.propagation)

    @property
    def propagation(self) -> Propagation | None:
        """What the control's labels say of every row; None without a control."""
        return None if self.labels is None else self.view.propagations[self.labels.name]

    @property
    def absent(self) -> NDArray[np.bool_]:
        """(N,) rows without a task."""
        return np.asarray(self.view.snapshot.task_ids == NO_TASK)


def label_set_of(view: ProjectView, control: str | None) -> LabelSet | None:
    """The label set of a control's name, the first one of None; None without any. Raises InputError."""
    if control is None:
        return view.label_sets[0] if view.label_sets else None
    for label_set in view.label_sets:
        if label_set.name == control:
            return label_set
    known = ", ".join(repr(s.name) for s in view.label_sets[:20])
    raise InputError(f"the label config has no control {control[:80]!r}; it has {known or 'none that Lantern reads'}")


def to_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """0..1 -> 0..255, rounded."""
    return np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)


def ranks(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """(N,) in [0, 1]: share of the others that are smaller; equal values share the middle of their ranks."""
    n = len(values)
    order = np.argsort(values, kind="stable")
    ordered, place = values[order], np.arange(n)
    differs = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(np.concatenate([[True], differs])[:n], place, 0))
    last = np.minimum.accumulate(np.where(np.concatenate([differs, [True]])[-n:], place, n)[::-1])[::-1]
    found = np.empty(n, np.float32)
    found[order] = (first + last) / max(2.0 * (n - 1), 1.0)
    return found


def _ids(columns: MapColumns) -> Array:
    ids = columns.view.snapshot.task_ids
    return np.where(ids == NO_TASK, 0, ids).astype(np.uint32)


def _of_store(field: str, without: float) -> Callable[[MapColumns], Array]:
    """A score of the control's propagation; `without`: its value where there is no control."""

    def make(columns: MapColumns) -> Array:
        spread = columns.propagation
        return to_bytes(np.full(len(columns), without) if spread is None else getattr(spread, field))

    return make


COLUMNS: Mapping[str, Callable[[MapColumns], Array]] = {
    "ids": _ids,
    "class": lambda c: c.named,
    "status": lambda c: c.status,
    "confidence": _of_store("confidence", 0.0),
    "s_ood": _of_store("s_ood", 1.0),
    "novelty": lambda c: to_bytes(1.0 - c.view.description.novelty),
    "aleatoric": lambda c: to_bytes(c.noise),
    "disagreement": lambda c: to_bytes(c.disagreement),
    "density": lambda c: to_bytes(c.view.description.density),
    "ambiguity": _of_store("ambiguity", 0.0),
    "evidence": _of_store("evidence", 0.0),
    "component": lambda c: c.component,
}
"""Those that a view and a control say everything about: not `xy`, `pending` and `changed`."""
