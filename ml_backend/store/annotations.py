"""Annotations: what people said. Any order and any repetition of the same events leads to the same rows.

Content: the newest `updated_at` wins, at equal times the larger canonical text (any rule does that both orders agree
on). Deletion is final against events: Label Studio never gives an id twice, and the two clocks (its `updated_at`, our
arrival time of an event that names ids only) cannot be compared. Only a reconcile takes a tombstone back. Skipped
(`was_cancelled`) annotations are kept but are no labels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, func, select, type_coerce
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import Text

from ml_backend.errors import InputError
from ml_backend.store import checks
from ml_backend.store.bulk import chunks, execute_many
from ml_backend.store.jsontext import to_text
from ml_backend.store.projects import current
from ml_backend.store.tables import Annotation, JsonList, Project


@dataclass(frozen=True)
class AnnotationRow:
    """One annotation as Label Studio tells it. Raises InputError for ids, times or a result of the wrong kind.

    updated_at: epoch seconds on Label Studio's clock. result: the raw list of regions.
    """

    annotation_id: int
    task_id: int | None
    annotator: str | None
    result: JsonList
    was_cancelled: bool
    updated_at: float

    def __post_init__(self) -> None:
        checks.row_id(self.annotation_id, "an annotation")
        if self.task_id is not None:
            checks.row_id(self.task_id, "a task")
        checks.seconds(self.updated_at, "updated_at")
        if not isinstance(self.result, list):
            raise InputError(f"the result of annotation {self.annotation_id} is not a list")

    @cached_property
    def text(self) -> str:
        """`result` in canonical JSON; worth asking for before the write lock is taken when there are many rows."""
        return to_text(self.result)


@dataclass(frozen=True)
class _State:
    """A row as the table has it, the result as text."""

    annotation_id: int
    task_id: int | None
    annotator: str | None
    text: str
    was_cancelled: bool
    updated_at: float
    deleted: bool
    deleted_at: float | None
    content_version: int = 0

    @classmethod
    def of(cls, row: AnnotationRow) -> _State:
        return cls(
            row.annotation_id, row.task_id, row.annotator, row.text, row.was_cancelled, row.updated_at, False, None
        )

    @property
    def label(self) -> tuple[object, ...] | None:
        """What it says as a label; None while deleted or skipped."""
        return None if self.deleted or self.was_cancelled else (self.task_id, self.annotator, self.text)

    @property
    def rank(self) -> tuple[object, ...]:
        """The larger one wins; a tombstone without content loses to any content."""
        return (self.updated_at, self.was_cancelled, str(self.task_id), self.annotator or "", self.text)


def apply(session: Session, project: Project, row: AnnotationRow) -> bool:
    """Take one event in; True when a label changed (not for an older or repeated event, a skip, an edit without
    effect).
    """
    return apply_many(session, project, [row]) > 0


def apply_many(session: Session, project: Project, rows: Iterable[AnnotationRow]) -> int:
    """Take many events in; how many labels changed. The caller passes it to `projects.touch_labels`."""
    return sum(_merge(session, project, chunk) for chunk in chunks(rows))


def tombstone(session: Session, project: Project, ids: Iterable[int], at: float) -> list[int]:
    """Delete by id; the ids that were never heard of (ask for a reconcile). Again the same ids: nothing changes.

    at: our clock. How many labels go: `count_labels(session, project, ids)` before the call.
    """
    checks.seconds(at, "the time of deletion")
    wanted = sorted({checks.row_id(i, "an annotation") for i in ids})
    unknown: list[int] = []
    for chunk in chunks(wanted):
        known = _states(session, project, Annotation.annotation_id.in_(chunk))
        unknown += [i for i in chunk if i not in known]
        gone = [_deleted(known.get(i) or _empty(i), at) for i in chunk]
        _save(session, project, (state for state in gone if state != known.get(state.annotation_id)))
    return unknown


def replace_all(
    session: Session, project: Project, rows: Iterable[AnnotationRow], as_of: float, *, since_version: int | None = None
) -> int:
    """Reconcile with a complete export; how many labels changed.

    as_of: our clock, before the export began. Rows in the export are made, updated, or taken back from a tombstone that
    is not newer than as_of (or older than their own updated_at). Rows missing in it are deleted, but for those with
    updated_at > as_of and, where since_version (the project's labels_version before the export began) is given, those
    that changed after it: that holds even when Label Studio's clock is behind ours.
    """
    checks.seconds(as_of, "the time of the export")
    known = _states(session, project)
    after: dict[int, _State] = {}
    for row in rows:
        before = after.get(row.annotation_id) or known.get(row.annotation_id)
        after[row.annotation_id] = _revived(before, _State.of(row), as_of)
    for annotation_id, state in known.items():
        seen_later = since_version is not None and state.content_version > since_version
        if annotation_id not in after and not state.deleted and state.updated_at <= as_of and not seen_later:
            after[annotation_id] = _deleted(state, as_of)
    changes = {i: state for i, state in after.items() if state != known.get(i)}
    _save(session, project, changes.values())
    return sum(_label(known.get(i)) != state.label for i, state in changes.items())


def live(session: Session, project: Project) -> list[Annotation]:
    """All labels: neither deleted nor skipped, by id."""
    query = select(Annotation).where(*_is_label(project)).order_by(Annotation.annotation_id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def by_ids(session: Session, project: Project, ids: Iterable[int]) -> list[Annotation]:
    """Those annotations of the ids that are known, deleted and skipped ones too, by id."""
    found: list[Annotation] = []
    for chunk in chunks(sorted(set(ids))):
        query = select(Annotation).where(Annotation.project_id == project.id, Annotation.annotation_id.in_(chunk))
        query = query.order_by(Annotation.annotation_id)
        found.extend(session.scalars(query.execution_options(populate_existing=True)))
    return found


def count_labels(session: Session, project: Project, ids: Iterable[int] | None = None) -> int:
    """Number of labels, among the ids where given."""
    query = select(func.count()).where(*_is_label(project))
    if ids is None:
        return session.scalar(query) or 0
    return sum(session.scalar(query.where(Annotation.annotation_id.in_(c))) or 0 for c in chunks(sorted(set(ids))))


def _merge(session: Session, project: Project, rows: list[AnnotationRow]) -> int:
    known = _states(session, project, Annotation.annotation_id.in_([row.annotation_id for row in rows]))
    after: dict[int, _State] = {}
    for row in rows:
        after[row.annotation_id] = _newest(after.get(row.annotation_id) or known.get(row.annotation_id), _State.of(row))
    changes = {i: state for i, state in after.items() if state != known.get(i)}
    _save(session, project, changes.values())
    return sum(_label(known.get(i)) != state.label for i, state in changes.items())


def _newest(before: _State | None, event: _State) -> _State:
    if before is None:
        return event
    if event.rank <= before.rank:
        return before
    return replace(event, deleted=before.deleted, deleted_at=before.deleted_at, content_version=before.content_version)


def _revived(before: _State | None, exported: _State, as_of: float) -> _State:
    after = _newest(before, exported)
    if before is None or before.deleted_at is None or not after.deleted:
        return after
    if before.deleted_at <= as_of or exported.updated_at > before.deleted_at:
        return replace(after, deleted=False, deleted_at=None)
    return after


def _deleted(state: _State, at: float) -> _State:
    return replace(state, deleted=True, deleted_at=at if state.deleted_at is None else max(state.deleted_at, at))


def _empty(annotation_id: int) -> _State:
    return _State(annotation_id, None, None, "[]", False, 0.0, False, None)


def _label(state: _State | None) -> tuple[object, ...] | None:
    return None if state is None else state.label


def _is_label(project: Project) -> tuple[ColumnElement[bool], ...]:
    return (
        Annotation.project_id == project.id,
        Annotation.deleted.is_(False),
        Annotation.was_cancelled.is_(False),
    )


_COLUMNS = (
    Annotation.annotation_id,
    Annotation.task_id,
    Annotation.annotator,
    type_coerce(Annotation.result, Text),
    Annotation.was_cancelled,
    Annotation.updated_at,
    Annotation.deleted,
    Annotation.deleted_at,
    Annotation.content_version,
)


def _states(session: Session, project: Project, *where: ColumnElement[bool]) -> dict[int, _State]:
    found = session.execute(select(*_COLUMNS).where(Annotation.project_id == project.id, *where))
    return {row[0]: _State(*row) for row in found}


def _save(session: Session, project: Project, states: Iterable[_State]) -> None:
    # the text is canonical JSON already: as a JSON value it would be encoded twice
    statement = insert(Annotation).values(result=bindparam("result_text", type_=Text))
    names = (
        "task_id",
        "annotator",
        "result",
        "was_cancelled",
        "updated_at",
        "content_version",
        "deleted",
        "deleted_at",
    )
    statement = statement.on_conflict_do_update(
        index_elements=[Annotation.project_id, Annotation.annotation_id],
        set_={name: statement.excluded[name] for name in names},
    )
    version = current(session, project).labels_version + 1
    execute_many(session, statement, (_values(project, version, state) for state in states))


def _values(project: Project, version: int, state: _State) -> dict[str, Any]:
    return {
        "project_id": project.id,
        "annotation_id": state.annotation_id,
        "task_id": state.task_id,
        "annotator": state.annotator,
        "result_text": state.text,
        "was_cancelled": state.was_cancelled,
        "updated_at": state.updated_at,
        "content_version": version,
        "deleted": state.deleted,
        "deleted_at": state.deleted_at,
    }
