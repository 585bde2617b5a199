"""A picture of the map for drawing on: old places, present colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.layout.square import Places
from ml_backend.data.label_config import Control
from ml_backend.engine.label_sets import BINARY_CLASSES, YES, store_name
from ml_backend.engine.map_columns import MapColumns
from ml_backend.engine.picture import NO_CLASS, LegendEntry, Points, draw
from ml_backend.engine.view import ProjectView

_YES = BINARY_CLASSES.index(YES)


def draw_sheet(
    view: ProjectView | None, control: Control, colours: list[str], task_ids: NDArray[np.int64], xy: Places
) -> bytes:
    """A PNG of the tasks at these places, in the colours of what a control's labels say of them now.

    view: None before the first model. colours: "#rrggbb" of the control's classes. task_ids (n,), xy (n, 2).
    """
    classes, human = _named(view, control, task_ids)
    counts = np.bincount(classes, minlength=NO_CLASS + 1)
    legend = [
        LegendEntry(name, colour, int(counts[i]))
        for i, (name, colour) in enumerate(zip(control.classes, colours, strict=True))
    ]
    return draw(Points(xy, classes, human), legend, control.name)


def _named(
    view: ProjectView | None, control: Control, task_ids: NDArray[np.int64]
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """(n,) class of each task, and whether a person gave it. Tasks that the view does not know have none."""
    classes, human = np.full(len(task_ids), NO_CLASS, np.uint16), np.zeros(len(task_ids), np.bool_)
    if view is None or control.name not in {known.name for known in view.schema.controls}:
        return classes, human
    of_rows, by_person = _multiple(view, control) if control.kind == "multiple" else _single(view, control)
    rows = np.array([view.row_of.get(int(task), -1) for task in task_ids], np.int64).reshape(-1)
    known = rows >= 0
    classes[known], human[known] = of_rows[rows[known]], by_person[rows[known]]
    return classes, human


def _single(view: ProjectView, control: Control) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    columns = MapColumns(view, control.name)
    return columns.named, columns.human != NO_CLASS


def _multiple(view: ProjectView, control: Control) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """The last choice that is ticked; what people ticked comes first."""
    n = len(view.snapshot.task_ids)
    classes, human = np.full(n, NO_CLASS, np.uint16), np.zeros(n, np.bool_)
    columns = [MapColumns(view, store_name(control, choice)) for choice in control.classes]
    for i, column in enumerate(columns):
        classes[column.named == _YES] = i
    for i, column in enumerate(columns):
        ticked = column.human == _YES
        classes[ticked], human[ticked] = i, True
    return classes, human
