"""Drawings: annotations of sheets, and the labels that they give.

The annotation is the truth: with it the labels change, and with it they go. Any order and any repetition of the same
events leads to the same rows: the newest content wins, a deleted one never comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.store.tables import Drawing, Project


@dataclass(frozen=True)
class Drawn:
    """What a drawing says. labels: label -> ids of the tasks inside. updated_at: Label Studio's clock, in seconds."""

    annotation_id: int
    sheet_number: int
    annotator: str | None
    control: str
    labels: Mapping[str, list[int]]
    updated_at: float

    @property
    def count(self) -> int:
        """How many tasks get a label."""
        return sum(map(len, self.labels.values()))


def put(session: Session, project: Project, drawn: Drawn) -> int:
    """Take one in; how many labels came, went or changed at most (0: nothing new)."""
    row = session.get(Drawing, (project.id, drawn.annotation_id), populate_existing=True)
    if row is None:
        row = Drawing(
            project_id=project.id, annotation_id=drawn.annotation_id, deleted=False, labels={}, updated_at=0.0
        )
        session.add(row)
    elif row.deleted or row.updated_at > drawn.updated_at:
        return 0
    said = (row.control, row.labels) if row.updated_at else ("", {})
    labels = {label: sorted(ids) for label, ids in drawn.labels.items() if ids}
    changed = drawn.count + _count(row) if said != (drawn.control, labels) else 0
    row.sheet_number, row.annotator, row.control = drawn.sheet_number, drawn.annotator, drawn.control
    row.labels, row.updated_at = labels, drawn.updated_at
    session.flush()
    return changed


def remove(session: Session, project: Project, ids: Iterable[int]) -> int:
    """Delete by annotation id; how many labels went. An unknown one gets a tombstone, against a late event."""
    gone = 0
    for annotation_id in sorted(set(ids)):
        row = session.get(Drawing, (project.id, annotation_id), populate_existing=True)
        if row is None:
            row = Drawing(
                project_id=project.id,
                annotation_id=annotation_id,
                sheet_number=0,
                control="",
                labels={},
                updated_at=0.0,
            )
            session.add(row)
        gone += 0 if row.deleted else _count(row)
        row.deleted, row.labels = True, {}
    session.flush()
    return gone


def live(session: Session, project: Project) -> list[Drawing]:
    """All that give labels, the oldest content first."""
    query = select(Drawing).where(Drawing.project_id == project.id, Drawing.deleted.is_(False))
    query = query.order_by(Drawing.updated_at, Drawing.annotation_id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def of_sheet(session: Session, project: Project, number: int) -> list[int]:
    """Ids of the live drawings on a sheet."""
    query = select(Drawing.annotation_id).where(
        Drawing.project_id == project.id, Drawing.sheet_number == number, Drawing.deleted.is_(False)
    )
    return list(session.scalars(query))


def _count(row: Drawing) -> int:
    return sum(len(ids) for ids in row.labels.values())
