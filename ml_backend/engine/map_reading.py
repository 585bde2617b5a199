"""What the map shows of a project right now: the newest publication under the newest labels, or, while a training
moves the points, its newest frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_backend.engine.engine import Engine
from ml_backend.engine.kept import Kept
from ml_backend.engine.layout_files import Frame
from ml_backend.engine.map_columns import COLUMNS, MapColumns
from ml_backend.engine.map_layout import LayoutReader
from ml_backend.engine.map_marks import MapMarks
from ml_backend.engine.map_rank import class_probability
from ml_backend.engine.view import ProjectView
from ml_backend.errors import InputError

KEPT_VIEWS = 6
"""Columns of a view and control are kept for so many; a frame's are soon replaced."""
KEPT_RANKINGS = 16

BESIDE = ("xy", "pending", "changed")
"""Columns that are not made from a view alone."""


@dataclass(frozen=True)
class Moment:
    """One project at one moment. published: what requests besides the map are answered from; view: what the map shows,
    under the places and responsibilities of `shown` while a training goes on.
    """

    uid: str
    published: ProjectView
    view: ProjectView
    shown: Frame | None

    @property
    def frame(self) -> int:
        """Number of the training's frame that is shown, 0 = the publication itself."""
        return 0 if self.shown is None else self.shown.number

    @cached_property
    def key(self) -> str:
        """Changes whenever something that a view says does; the same in every process."""
        v = self.view
        parts = (self.uid, v.number, v.model_version, v.labels_version, v.schema.digest, v.settings, self.frame)
        # Who set something aside need not have changed a label.
        return digest(*parts, sorted(v.set_aside.items()))


class MapReader:
    """One a process. Safe for threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.layouts = LayoutReader(engine.db)
        self._frames: Kept[tuple[object, ...], ProjectView] = Kept(2)
        self._columns: Kept[tuple[str, str], MapColumns] = Kept(KEPT_VIEWS)
        self._rankings: Kept[tuple[str, str, str], NDArray[np.float32]] = Kept(KEPT_RANKINGS)

    def moment(self, uid: str) -> Moment | None:
        """None before the first publication."""
        view = self.engine.view(uid)
        if view is None:
            return None
        frame = self.layouts.frame(uid)
        if frame is None or len(frame.xy) != len(view.snapshot.task_ids):
            return Moment(uid, view, view, None)
        key = (uid, view.number, view.labels_version, view.settings, frame.number)
        return Moment(uid, view, self._frames.get(key, lambda: _moved(view, frame)), frame)

    def columns(self, moment: Moment, control: str | None) -> MapColumns:
        """Kept as long as the moment's view is shown. Raises InputError for an unknown control."""
        return self._columns.get((moment.key, control or ""), lambda: MapColumns(moment.view, control or None))

    def column(self, moment: Moment, name: str, control: str | None) -> tuple[str, Callable[[], NDArray[np.generic]]]:
        """A column's version, and what makes it. Raises InputError for an unknown column or control."""
        if name in COLUMNS:
            columns = self.columns(moment, control)
            return digest(moment.key, name, control), lambda: columns.column(name)
        if name == "xy":
            return self._xy(moment)
        if name not in BESIDE:
            raise InputError(f"there is no column {name[:40]!r}: {', '.join((*COLUMNS, *BESIDE))}")
        labels, ids = self.columns(moment, control).labels, moment.published.snapshot.task_ids
        marks, of = MapMarks(self.engine.db, moment.uid), None if labels is None else labels.name
        rows = moment.published.snapshot.rows_version
        if name == "pending":
            return digest(moment.uid, rows, name, marks.version.pending), lambda: _byte(marks.pending(ids))
        return digest(moment.uid, rows, name, of, marks.version.changed), lambda: _byte(marks.changed(ids, of))

    def layout_version(self, moment: Moment) -> str:
        """Names the places that `xy` holds, for people who draw around points."""
        number = moment.shown.layout_number if moment.shown else self.layouts.state(moment.uid).number
        return f"{number}.{moment.frame}"

    def class_probability(self, moment: Moment, control: str | None, name: str) -> NDArray[np.float32]:
        """(N,) p(class|x) of every row. Raises InputError for an unknown control or class."""
        columns = self.columns(moment, control)
        return self._rankings.get((moment.key, control or "", name), lambda: class_probability(columns, name))

    def _xy(self, moment: Moment) -> tuple[str, Callable[[], NDArray[np.generic]]]:
        shown, snapshot = moment.shown, moment.published.snapshot
        if shown is not None:
            return digest(moment.uid, "frame", shown.number, shown.description_path), lambda: shown.xy
        number = self.layouts.state(moment.uid).number
        version = digest(moment.uid, "xy", number, moment.published.number, snapshot.rows_version)
        return version, lambda: self.layouts.read(moment.uid, snapshot).xy


def digest(*parts: object) -> str:
    """Short hash of what something depends on."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _moved(view: ProjectView, frame: Frame) -> ProjectView:
    """The view with what the model says of the items right now; neighbours, novelty and heads are the publication's."""
    known = view.snapshot.description
    heads = known.heads if frame.responsibilities.n_components == known.responsibilities.n_components else {}
    description = replace(known, responsibilities=frame.responsibilities, heads=heads)
    return replace(view, snapshot=replace(view.snapshot, description=description))


def _byte(marked: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return marked.astype(np.uint8)
