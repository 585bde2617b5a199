"""Which of two statements about one annotation counts. Pure: the same answer in any order and at any repetition.

Content: the newest `updated_at` wins; at equal times the larger canonical text (any rule does that both orders agree
on). Deletion is final against events: Label Studio gives an id twice only after it was restored from a backup, and the
two clocks (its `updated_at`, our arrival time of an event that names ids only) cannot be compared. Only a reconcile
takes a tombstone back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ml_backend.errors import InputError
from ml_backend.store import checks
from ml_backend.store.jsontext import to_text
from ml_backend.store.tables import JsonList

Label = tuple[object, ...]

NO_CONTENT = -math.inf
"""`updated_at` of a tombstone whose annotation was never heard of: older than any content."""


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
        """`result` in canonical JSON; with many rows, ask for it before the write lock is taken."""
        return to_text(self.result)


class AnnotationState(NamedTuple):
    """A row as the table has it, the result as text. content_version: of the last change of `label`."""

    annotation_id: int
    task_id: int | None
    annotator: str | None
    text: str
    was_cancelled: bool
    updated_at: float
    deleted: bool = False
    deleted_at: float | None = None
    content_version: int = 0

    @classmethod
    def of(cls, row: AnnotationRow) -> AnnotationState:
        """What an event or export says, deleted by nobody."""
        return cls(row.annotation_id, row.task_id, row.annotator, row.text, row.was_cancelled, row.updated_at)

    @property
    def label(self) -> Label | None:
        """What it says as a label; None while deleted or skipped."""
        return None if self.deleted or self.was_cancelled else (self.task_id, self.annotator, self.text)

    @property
    def rank(self) -> tuple[object, ...]:
        """The larger one wins."""
        return (self.updated_at, self.was_cancelled, str(self.task_id), self.annotator or "", self.text)


def label_of(state: AnnotationState | None) -> Label | None:
    """The label of a row that may not exist."""
    return None if state is None else state.label


def after_event(before: AnnotationState | None, event: AnnotationState) -> AnnotationState:
    """The row after a created or updated annotation was told. A tombstone takes the content in, but stays."""
    if before is None:
        return event
    if event.rank <= before.rank:
        return before
    return event._replace(deleted=before.deleted, deleted_at=before.deleted_at, content_version=before.content_version)


def after_deletion(before: AnnotationState | None, annotation_id: int, at: float) -> AnnotationState:
    """The row after its id was told to be deleted, `at` on our clock; an unknown one becomes an empty tombstone."""
    if before is None:
        return AnnotationState(annotation_id, None, None, "[]", False, NO_CONTENT, deleted=True, deleted_at=at)
    return before._replace(deleted=True, deleted_at=at if before.deleted_at is None else max(before.deleted_at, at))


def after_export(
    before: AnnotationState | None, exported: AnnotationState, as_of: float, since_version: int
) -> AnnotationState:
    """The row after a complete export, begun `as_of` on our clock, holds it (see `annotations.replace_all`)."""
    if before is None:
        return exported
    deleted_at = before.deleted_at
    if deleted_at is not None and as_of < deleted_at and exported.updated_at <= deleted_at:
        return after_event(before, exported)
    if before.content_version <= since_version:
        return exported._replace(content_version=before.content_version)
    return after_event(before, exported)._replace(deleted=False, deleted_at=None)


def is_gone(state: AnnotationState, as_of: float, since_version: int) -> bool:
    """Whether a row that a complete export does not hold was deleted, rather than made after the export began."""
    return not state.deleted and state.updated_at <= as_of and state.content_version <= since_version
