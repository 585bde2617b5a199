"""Labels that people gave by drawing on a picture of the map: derived from the drawing, so that they change and go with
it. They are in no annotation of the task, so what somebody said of the task itself outweighs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ml_backend.data.edits import apply_edits, choose, tick
from ml_backend.data.label_config import Control
from ml_backend.engine.schema import schema_of
from ml_backend.store import drawings
from ml_backend.store.tables import Project


@dataclass(frozen=True)
class DrawnLabel:
    """What one person drew around one task, as the `result` of an annotation that answers this one question."""

    task_id: int
    annotator: str | None
    result: list[Any]


def drawn_labels(
    session: Session, project: Project, others: Iterable[tuple[int | None, list[Any]]], tasks: Iterable[int] | None
) -> Iterator[DrawnLabel]:
    """Of the tasks (None = all) that nobody answered otherwise; a person's later drawing outweighs the earlier.

    others: (task, result) of all other labels of these tasks.
    """
    rows = drawings.live(session, project)
    if not rows:
        return
    controls = {control.name: control for control in schema_of(project).controls}
    answered = {(task, _name(region)) for task, result in others for region in result}
    wanted = None if tasks is None else set(tasks)
    found: dict[tuple[int, str | None, str], list[Any]] = {}
    for row in rows:
        control = controls.get(row.control)
        for label, ids in row.labels.items() if control is not None else ():
            result = _result(control, label, row.annotation_id) if control is not None else None
            if result is None:
                continue
            for task in ids if wanted is None else wanted.intersection(ids):
                if (task, row.control) not in answered:
                    found[task, row.annotator, row.control] = result
    for (task, annotator, _), result in found.items():
        yield DrawnLabel(task, annotator, result)


def _result(control: Control, label: str, annotation_id: int) -> list[Any] | None:
    """None for a class that the label config no longer has."""
    if label not in control.classes:
        return None
    edit = tick(control, label, on=True) if control.kind == "multiple" else choose(control, label)
    content = apply_edits(None, [edit], f"drawing-{annotation_id}")
    return None if content is None else list(content["result"])


def _name(region: object) -> str | None:
    name = region.get("from_name") if isinstance(region, dict) else None
    return name if isinstance(name, str) else None
