"""The labels of a project, as everything that learns from them or shows them must see them.

Annotations are the truth. What a person did on the map and Label Studio has not confirmed yet lies over them: it
replaces the annotation that it will become, so that nothing is ever counted twice. What was drawn on a picture of the
map fills in where nobody said anything of the task itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.engine.drawn_labels import drawn_labels
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import drawings, outbox
from ml_backend.store import tasks as task_rows
from ml_backend.store.bulk import chunks
from ml_backend.store.tables import Annotation, Project


class GivenLabel(NamedTuple):
    """What one person said of one task. annotation_id: None while Label Studio has none yet."""

    task_id: int | None
    annotator: str | None
    result: list[Any]
    annotation_id: int | None = None
    pending: bool = False


class LabelCounts(NamedTuple):
    """labels: all that Lantern learns from. drawn: those of them that come from drawings on pictures of the map."""

    labels: int
    drawn: int


def given_labels(session: Session, project: Project, tasks: Iterable[int] | None = None) -> list[GivenLabel]:
    """All labels (of the tasks, where given), none of a deleted task: annotations neither deleted nor skipped, under
    what waits to be sent.
    """
    if tasks is None:
        return _labels(session, project, None)
    return [label for chunk in chunks(sorted(set(tasks))) for label in _labels(session, project, chunk)]


def count_given(session: Session, project: Project) -> LabelCounts:
    """How many there are, without reading those that nothing lies over and nothing fills in for."""
    touched = {entry.task_id for entry in outbox.waiting(session, project)}
    touched |= {task for drawing in drawings.live(session, project) for ids in drawing.labels.values() for task in ids}
    given = given_labels(session, project, touched)
    drawn = sum(label.annotation_id is None and not label.pending for label in given)
    elsewhere = annotation_rows.count_labels(session, project) - annotation_rows.count_on(session, project, touched)
    return LabelCounts(elsewhere + len(given), drawn)


def _labels(session: Session, project: Project, tasks: list[int] | None) -> list[GivenLabel]:
    waiting = outbox.waiting(session, project, tasks)
    hidden = outbox.Hidden.of(waiting)
    query = select(Annotation.annotation_id, Annotation.task_id, Annotation.annotator, Annotation.result).where(
        *annotation_rows.is_label(project)
    )
    if tasks is not None:
        query = query.where(Annotation.task_id.in_(tasks))
    found = [
        GivenLabel(task_id, annotator, result, number)
        for number, task_id, annotator, result in session.execute(query.order_by(Annotation.annotation_id))
        if not hidden.covers(number, task_id, annotator)
    ]
    unsent = [
        GivenLabel(entry.task_id, entry.annotator, entry.wanted["result"], entry.annotation_id, pending=True)
        for entry in waiting
        if entry.wanted is not None and not entry.wanted["was_cancelled"]
    ]
    found += _of_live_tasks(session, project, unsent)
    drawn = drawn_labels(session, project, ((label.task_id, label.result) for label in found), tasks)
    of_drawings = [GivenLabel(label.task_id, label.annotator, label.result) for label in drawn]
    return found + _of_live_tasks(session, project, of_drawings)


def _of_live_tasks(session: Session, project: Project, labels: list[GivenLabel]) -> list[GivenLabel]:
    gone = task_rows.deleted_among(session, project, (label.task_id for label in labels if label.task_id is not None))
    return [label for label in labels if label.task_id not in gone]
